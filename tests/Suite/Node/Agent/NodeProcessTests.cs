using NftCluster.Messages.Link;
using NftCluster.Tests.Faults;
using NftCluster.Tests.Lab;
using NftCluster.Tests.Node.Export;
using NftCluster.Tests.Node.Kernel;
using NftCluster.Tests.Node.Uplink;

namespace NftCluster.Tests.Node.Agent;

/// <summary>The real program, the real kernel, real packets; only the controller is scripted.</summary>
[Collection(RunningNode.Collection)]
public sealed class NodeProcessTests : IAsyncLifetime
{
    private readonly TempDirectory _directory = new();
    private QuietNetwork _network = null!;
    private ScriptedController _controller = null!;
    private RunningAgent _node = null!;

    public async ValueTask InitializeAsync()
    {
        Root.Required();
        _network = new QuietNetwork();
        _controller = await ScriptedController.StartAsync();
        _node = new RunningAgent(_controller, _network, _directory);
        try
        {
            await _node.StartAsync();
        }
        catch
        {
            await DisposeAsync(); // nobody else does so for a beginning that failed
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_controller is not null)
        {
            _node.Dispose();
            await _controller.DisposeAsync();
            _network.Dispose();
        }
        _directory.Dispose();
    }

    [Fact]
    public async Task After_kill_9_a_node_resumes_its_sessions_by_itself_and_records_the_gap()
    {
        Observed observed = await _node.WantAsync(Session("udp"));
        Assert.Equal(("s1", "RUNNING", ""), (observed.Session[0].Id, observed.Session[0].State, observed.Session[0].FailureReason));
        _network.SendToPorts(1_000, 50);
        await _node.UntilAsync(() => _node.PacketsTo(1_000, 50) == 50, "before the kill");
        long killedNs = NowNs();
        _node.Program.Kill();
        await _node.Program.ExitAsync();
        _network.SendToPorts(2_000, 50); // nobody looks

        await _node.StartAsync();
        Observed resumed = await _node.ObservedAsync(o => o.Session.Any(s => s.State == "RUNNING"));
        _network.SendToPorts(3_000, 50);
        await _node.UntilAsync(() => _node.PacketsTo(3_000, 50) == 50 && _node.Losses.Any(l => l.Stage == "node-down"), "after the kill");

        Assert.Equal("one", resumed.ControllerIncarnation.ToStringUtf8());
        Loss gap = _node.Losses.Single(l => l.Stage == "node-down");
        Assert.False(gap.HasCount);
        Assert.InRange(killedNs, gap.FromNs, gap.ToNs);
        Assert.Equal(0, _node.PacketsTo(2_000, 50));
        Assert.Equal(100, _node.Traces.Select(t => t.DstPort).Distinct().Count());
        Assert.Equal(_node.Traces.Count, _node.Traces.Select(t => (t.Key, t.FirstSeen)).Distinct().Count());
    }

    [Fact]
    public async Task Filter_pause_and_removal_hold_from_when_they_are_observed()
    {
        await _node.WantAsync(Session("udp dst portrange 1000-1999"));
        _network.SendToPorts(1_000, 20);
        _network.SendToPorts(2_000, 20);
        await _node.UntilAsync(() => _node.PacketsTo(1_000, 20) == 20, "the first filter");

        await _node.WantAsync(Session("udp dst portrange 2000-2999", generation: 2));
        _network.SendToPorts(1_100, 20);
        _network.SendToPorts(2_100, 20);
        await _node.UntilAsync(() => _node.PacketsTo(2_100, 20) == 20, "the second filter");

        Observed paused = await _node.WantAsync(Session("udp dst portrange 2000-2999", generation: 3, paused: true));
        Assert.Equal("PAUSED", paused.Session[0].State);
        _network.SendToPorts(2_200, 20);
        await _node.WantAsync(Session("udp dst portrange 2000-2999", generation: 4));
        _network.SendToPorts(2_300, 20);
        await _node.UntilAsync(() => _node.PacketsTo(2_300, 20) == 20, "after the pause");

        Observed gone = await _node.WantAsync();
        Assert.Empty(gone.Session);
        Assert.Equal(60, _node.Traces.Select(t => t.DstPort).Distinct().Count());
    }

    [Fact]
    public async Task A_session_that_cannot_be_fails_alone_and_says_why()
    {
        Observed observed = await _node.WantAsync(Session("udp"), new DesiredSession { Id = "bad", Generation = 1, Filter = "no such thing" });

        Assert.Equal("RUNNING", observed.Session.Single(s => s.Id == "s1").State);
        ObservedSession bad = observed.Session.Single(s => s.Id == "bad");
        Assert.Equal("FAILED", bad.State);
        Assert.StartsWith("filter 'no such thing': ", bad.FailureReason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task While_the_controller_is_away_a_node_goes_on_and_catches_up_from_its_spool()
    {
        await _node.WantAsync(Session("udp"));
        _controller.LinkStatus = 503;
        _node.Link.Cut();
        _network.SendToPorts(1_000, 100);
        await _node.Program.SaysAsync("HTTP 503");
        _controller.LinkStatus = null;

        await _node.ReconnectAsync();
        await _node.UntilAsync(() => _node.PacketsTo(1_000, 100) == 100, "what was spooled");
    }

    [Fact]
    public async Task SIGTERM_ends_in_order_and_what_the_controller_has_not_got_is_there_at_the_next_start()
    {
        await _node.WantAsync(Session("udp"));
        _controller.LinkStatus = 503;
        _node.Link.Cut();
        _network.SendToPorts(1_000, 30);

        _node.Program.Signal(RunningProgram.Terminate);
        Assert.Equal(0, await _node.Program.ExitAsync());
        _controller.LinkStatus = null;
        await _node.StartAsync();

        await _node.UntilAsync(() => _node.PacketsTo(1_000, 30) == 30 && _node.Losses.Any(l => l.Stage == "node-down"), "after the restart");
        Assert.Equal("the node was stopped", _node.Losses.Single(l => l.Stage == "node-down").Text);
    }

    [Fact]
    public async Task A_limit_of_packets_ends_the_session_here_and_a_budget_of_events_samples_it()
    {
        await _node.WantAsync(
            new(Session("udp dst portrange 1000-1999")) { Limits = new SessionLimits { Packets = 10 } },
            new(Session("udp dst portrange 3000-3999")) { Id = "budget", SampleThreshold = 1UL << 62 });
        _network.SendToPorts(1_000, 30);
        Observed limited = await _node.ObservedAsync(o => o.Session.Any(s => s.Id == "s1" && s.State == "STOPPED"));

        Assert.Equal(1UL << 62, limited.Session.Single(s => s.Id == "budget").SampleThreshold);
        await _node.UntilAsync(() => _node.Traces.Count >= 10, "the limit");
        Assert.Equal(10, _node.Traces.Count);
    }

    private static DesiredSession Session(string filter, ulong generation = 1, bool paused = false) =>
        new() { Id = "s1", Generation = generation, Mode = "full", Filter = filter, Quality = "all", Probes = { "light" }, Paused = paused };

    private static long NowNs() => NftCluster.Messages.TraceTime.UnixNs(TimeProvider.System.GetUtcNow());
}
