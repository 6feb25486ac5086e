using NftCluster.Controller.Sessions;
using NftCluster.Controller.Stitching;
using NftCluster.Controller.Storage;
using NftCluster.Lab;
using NftCluster.Messages;
using NftCluster.Tests.Lab;

namespace NftCluster.Tests.Truth;

/// <summary>Real packets through three routers with a node in each: what the controller joins is what was sent. The ports carry the number; masquerading keeps them.</summary>
[Collection(TruthTestGroup.Name)]
public sealed class FleetJourneyTests
{
    private const int PerSecond = 500;

    [Fact]
    public async Task Every_packet_through_three_routers_is_one_journey_and_a_masquerade_does_not_part_it()
    {
        Root.Required();
        using Fleet fleet = new();
        Assert.Equal(0, Tool.Run("ip", ["netns", "exec", fleet.Lab.NamespaceOf("r2"), "nft", "table ip nat { chain post { type nat hook postrouting priority srcnat; oifname eth1 masquerade; }; }"]).ExitCode);
        await fleet.StartAsync();
        ClusterSessionView session = await fleet.OpenSessionAsync(NumberedLoad.Filter);
        using var load = NumberedLoad.Start(fleet.Lab, PerSecond);
        await Task.Delay(TimeSpan.FromSeconds(6), TestContext.Current.CancellationToken); // so long is traffic sent
        int sent = await load.StopAsync();
        TraceQueries traces = fleet.Queries();
        var names = (await fleet.NodesAsync()).ToDictionary(node => node.Id, node => node.Name, StringComparer.Ordinal);
        await fleet.UntilAsync(async () => await CountAsync(traces, session.Id) >= sent * 3, "every router's traces are stored");
        Dictionary<TraceId, int> numbers = await NumbersAsync(traces, session.Id);

        JourneyQueries journeys = new(Database.Open(fleet.State), traces);
        JourneyPage page = await journeys.FindAsync(new JourneyQuery { Traces = new TraceQuery { SessionId = session.Id, OldestFirst = true, Limit = int.MaxValue } }, names, TestContext.Current.CancellationToken);
        IReadOnlyList<PathRecord> paths = await journeys.PathsAsync(new TraceQuery { SessionId = session.Id }, names, TestContext.Current.CancellationToken);

        TestContext.Current.TestOutputHelper?.WriteLine($"{sent} sent, {page.Journeys.Count} journeys; {string.Join(", ", page.Journeys.GroupBy(journey => $"{string.Join('>', journey.Path)} {journey.Outcome} {string.Join('+', journey.Hops.Select(hop => hop.Join?.Kind).OfType<string>())}", StringComparer.Ordinal).Select(group => $"{group.Key}: {group.Count()}"))}");
        // Precision: no journey holds hops of two packets.
        Assert.All(page.Journeys, journey => Assert.Single(journey.Hops.Select(hop => numbers[Id(hop)]).Distinct()));
        // Recall: of every packet one journey, through all three.
        JourneyRecord[] whole = [.. page.Journeys.Where(journey => journey.Path is ["r1", "r2", "r3"] && journey.Hops.Skip(1).All(hop => hop.Join?.Kind == "exact"))];
        Assert.InRange(whole.Length, Math.Ceiling(sent * 0.999), sent);
        Assert.All(whole, journey => Assert.Equal([false, true, false], journey.Hops.Select(hop => hop.Translated)));
        Assert.All(whole, journey => Assert.Equal([64, 63, 62], journey.Hops.Select(hop => hop.In!.Ttl!.Value)));
        Assert.Equal(page.Journeys.Count, paths.Sum(path => path.Packets));
        Assert.Equal(["r1", "r2", "r3"], paths[0].Path);
    }

    private static TraceId Id(HopRecord hop) => TraceId.TryParse(hop.TraceId, out TraceId id) ? id : throw new InvalidDataException(hop.TraceId);

    private static async Task<int> CountAsync(TraceQueries traces, string session)
    {
        int count = 0;
        await foreach (StoredTrace _ in traces.AllAsync(session, TestContext.Current.CancellationToken))
        {
            count++;
        }
        return count;
    }

    private static async Task<Dictionary<TraceId, int>> NumbersAsync(TraceQueries traces, string session)
    {
        Dictionary<TraceId, int> numbers = [];
        await foreach (StoredTrace stored in traces.AllAsync(session, TestContext.Current.CancellationToken))
        {
            numbers[stored.Id] = NumberedLoad.NumberOf(stored.Trace.SrcPort!.Value, stored.Trace.DstPort!.Value);
        }
        return numbers;
    }
}
