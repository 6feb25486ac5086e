using NftCluster.Messages.Link;
using NftCluster.Node.Agent;

namespace NftCluster.Tests.Node.Agent;

public sealed class SessionPlanTests
{
    private static readonly DesiredSession _session = new() { Id = "s", Generation = 1, Mode = "full", Filter = "udp", Limits = new SessionLimits() };

    [Fact]
    public void What_is_as_it_should_be_is_left_alone() => Assert.Empty(Plan(_session, _session));

    [Fact]
    public void A_new_session_is_opened_and_one_that_is_not_wanted_any_more_is_removed_first()
    {
        IReadOnlyList<PlanStep> steps = SessionPlan.Make(
            new Dictionary<string, DesiredSession>(StringComparer.Ordinal) { ["old"] = new() { Id = "old" } }, [_session]);

        Assert.Equal([(PlanKind.Remove, "old"), (PlanKind.Open, "s")], steps.Select(s => (s.Kind, s.Id)));
    }

    [Fact]
    public void Another_filter_is_changed_while_running() => Assert.Equal(PlanKind.ChangeFilter, Kind(_session, new(_session) { Generation = 2, Filter = "tcp" }));

    [Fact]
    public void Another_mode_needs_a_new_beginning() => Assert.Equal(PlanKind.Reopen, Kind(_session, new(_session) { Generation = 2, Mode = "nft", Filter = "tcp" }));

    [Fact]
    public void Limits_and_sampling_are_adjusted() =>
        Assert.Equal(PlanKind.Adjust, Kind(_session, new(_session) { Generation = 2, SampleThreshold = 5, Limits = new SessionLimits { EventsPerSecond = 9, EndsNs = 1 } }));

    [Fact]
    public void Paused_and_resumed()
    {
        DesiredSession paused = new(_session) { Generation = 2, Paused = true };

        Assert.Equal(PlanKind.Pause, Kind(_session, paused));
        Assert.Equal(PlanKind.Open, Kind(paused, new(_session) { Generation = 3 }));
        Assert.Equal(PlanKind.Pause, Kind(paused, new(paused) { Generation = 3, Filter = "tcp" }));
    }

    private static PlanKind Kind(DesiredSession running, DesiredSession wanted) => Assert.Single(Plan(running, wanted)).Kind;

    private static IReadOnlyList<PlanStep> Plan(DesiredSession running, DesiredSession wanted) =>
        SessionPlan.Make(new Dictionary<string, DesiredSession>(StringComparer.Ordinal) { [running.Id] = running }, [wanted]);
}
