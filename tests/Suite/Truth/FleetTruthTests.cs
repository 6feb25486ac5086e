using NftCluster.Controller.Sessions;
using NftCluster.Controller.Storage;
using NftCluster.Tests.Faults;
using NftCluster.Tests.Lab;

namespace NftCluster.Tests.Truth;

/// <summary>Every packet is stored once for each router that it passed, also when controller and nodes are killed meanwhile.</summary>
public sealed class FleetTruthTests
{
    private const string Filter = "udp and dst portrange 20000-20999";

    [Fact]
    public async Task Every_packet_is_stored_once_for_each_router_that_it_passed()
    {
        Root.Required();
        using Fleet fleet = new();
        await fleet.StartAsync();
        ClusterSessionView session = await fleet.OpenSessionAsync(Filter);
        LabExchange exchange = new(fleet.Lab);

        exchange.Send("client", exchange.AddressOf("server"), 20000, 200);

        await StoredAsync(fleet, session.Id, 200);
        await AssertEachOnceAsync(fleet, session.Id, 20000, 200);
    }

    [Fact]
    public async Task Killing_the_controller_loses_nothing_and_doubles_nothing()
    {
        Root.Required();
        using Fleet fleet = new();
        await fleet.StartAsync();
        ClusterSessionView session = await fleet.OpenSessionAsync(Filter);
        LabExchange exchange = new(fleet.Lab);

        const int Rounds = 4;
        for (int round = 0; round < Rounds; round++)
        {
            exchange.Send("client", exchange.AddressOf("server"), 20000 + (round * 100), 100);
            await fleet.KillControllerAsync();
            // Nobody listens: what is seen now waits in the spools.
            exchange.Send("client", exchange.AddressOf("server"), 20500 + (round * 100), 100);
            await fleet.StartControllerAsync();
        }

        await StoredAsync(fleet, session.Id, Rounds * 200);
        await AssertEachOnceAsync(fleet, session.Id, 20000, Rounds * 100);
        await AssertEachOnceAsync(fleet, session.Id, 20500, Rounds * 100);
        ClusterSessionView after = await fleet.SessionAsync(session.Id);
        Assert.Equal("RUNNING", after.State);
    }

    [Fact]
    public async Task A_node_that_was_killed_resumes_its_session_and_records_the_gap()
    {
        Root.Required();
        using Fleet fleet = new();
        await fleet.StartAsync();
        ClusterSessionView session = await fleet.OpenSessionAsync(Filter);
        LabExchange exchange = new(fleet.Lab);
        exchange.Send("client", exchange.AddressOf("server"), 20000, 50);
        await StoredAsync(fleet, session.Id, 50);

        await fleet.KillNodeAsync("r2");
        await fleet.IsOfflineAsync("r2");
        fleet.StartNode("r2");
        await fleet.RunsAsync(session.Id, "r2");
        TraceQueries queries = fleet.Queries();
        string r2 = (await fleet.NodesAsync()).Single(node => node.Name == "r2").Id;
        await fleet.UntilAsync(async () => (await queries.LossesAsync(session.Id, TestContext.Current.CancellationToken)).Any(loss => loss.NodeId == r2 && loss.Count is null), "the gap of r2 is recorded");
        exchange.Send("client", exchange.AddressOf("server"), 20500, 50);

        await StoredAsync(fleet, session.Id, 100);
        await AssertEachOnceAsync(fleet, session.Id, 20500, 50);
    }

    /// <summary>So many packets, each by every router.</summary>
    [Fact]
    public async Task The_CA_is_replaced_under_a_running_session()
    {
        Root.Required();
        using Fleet fleet = new();
        await fleet.StartAsync();
        ClusterSessionView session = await fleet.OpenSessionAsync(Filter);
        LabExchange exchange = new(fleet.Lab);
        exchange.Send("client", exchange.AddressOf("server"), 20000, 50);

        await ReplaceAsync(fleet);
        RunningProgram early = await RunningProgram.FinishedAsync("controller", "replace-ca", "--finish", "--state-dir", fleet.State);
        Assert.Contains(early.Errors, line => line.Contains("3 node(s) have a certificate of the old CA still", StringComparison.Ordinal));
        await fleet.KillControllerAsync();
        await fleet.StartControllerAsync();
        await fleet.UntilAsync(async () => await (await RunningProgram.FinishedAsync("controller", "replace-ca", "--finish", "--state-dir", fleet.State)).ExitAsync() == 0, "every node has renewed its certificate");
        await fleet.KillControllerAsync();
        await fleet.StartControllerAsync();
        foreach (string router in fleet.Watched)
        {
            await fleet.RunsAsync(session.Id, router);
        }
        exchange.Send("client", exchange.AddressOf("server"), 20500, 50);

        await StoredAsync(fleet, session.Id, 100);
        await AssertEachOnceAsync(fleet, session.Id, 20000, 50);
        await AssertEachOnceAsync(fleet, session.Id, 20500, 50);
    }

    private static async Task ReplaceAsync(Fleet fleet) =>
        Assert.Equal(0, await (await RunningProgram.FinishedAsync("controller", "replace-ca", "--state-dir", fleet.State)).ExitAsync());

    private static Task StoredAsync(Fleet fleet, string session, int packets) =>
        fleet.UntilAsync(async () => (await AllAsync(fleet, session)).Count >= packets * Fleet.Routers.Count, $"{packets} packets are stored");

    private static async Task AssertEachOnceAsync(Fleet fleet, string session, int firstPort, int count)
    {
        List<StoredTrace> all = await AllAsync(fleet, session);
        foreach (IGrouping<string, StoredTrace> node in all.GroupBy(stored => stored.Id.NodeId, StringComparer.Ordinal))
        {
            var ports = node.Select(stored => stored.Trace.DstPort ?? 0).Where(port => port >= firstPort && port < firstPort + count).ToList();
            Assert.Equal(Enumerable.Range(firstPort, count), ports.Order());
        }
        Assert.Equal(Fleet.Routers.Count, all.Select(stored => stored.Id.NodeId).Distinct(StringComparer.Ordinal).Count());
    }

    private static async Task<List<StoredTrace>> AllAsync(Fleet fleet, string session)
    {
        List<StoredTrace> all = [];
        await foreach (StoredTrace stored in fleet.Queries().AllAsync(session, FrameRange.All, TestContext.Current.CancellationToken))
        {
            all.Add(stored);
        }
        return all;
    }
}
