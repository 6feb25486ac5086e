using NftCluster.Cli.Cluster;
using NftCluster.Controller.Cluster;
using NftCluster.Controller.Hosting;
using NftCluster.Controller.Sessions;
using NftCluster.Controller.Storage;
using NftCluster.Lab;
using NftCluster.Tests.Faults;
using NftCluster.Tests.Lab;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Truth;

/// <summary>
/// One controller and three nodes as a user runs them, in the lab's namespaces: every packet is stored once for each router
/// that it passed, also when controller and nodes are killed meanwhile.
/// </summary>
public sealed class FleetTruthTests : IDisposable
{
    private static readonly string[] _routers = ["r1", "r2", "r3"];

    private readonly TempDirectory _directory = new();
    private readonly List<RunningProgram> _programs = [];

    private string State => _directory.File("controller");

    public void Dispose()
    {
        _programs.ForEach(program => program.Dispose());
        _directory.Dispose();
    }

    [Fact]
    public async Task Every_packet_is_stored_once_for_each_router_that_it_passed()
    {
        Root.Required();
        using var lab = LabNetwork.Up(TopologyFile.Load("fleet"), Root.NewPrefix());
        await StartControllerAsync(lab);
        await StartNodesAsync(lab);
        ClusterSessionView session = await OpenSessionAsync("udp and dst portrange 20000-20999");

        new LabExchange(lab).Send("client", new LabExchange(lab).AddressOf("server"), 20000, 200);

        await StoredAsync(session.Id, 200 * _routers.Length);
        await AssertEachOnceAsync(session.Id, 20000, 200);
    }

    [Fact]
    public async Task Killing_the_controller_loses_nothing_and_doubles_nothing()
    {
        Root.Required();
        using var lab = LabNetwork.Up(TopologyFile.Load("fleet"), Root.NewPrefix());
        RunningProgram controller = await StartControllerAsync(lab);
        await StartNodesAsync(lab);
        ClusterSessionView session = await OpenSessionAsync("udp and dst portrange 20000-20999");
        LabExchange exchange = new(lab);

        const int Rounds = 4;
        for (int round = 0; round < Rounds; round++)
        {
            exchange.Send("client", exchange.AddressOf("server"), 20000 + (round * 100), 100);
            controller.Kill();
            await controller.ExitAsync();
            // Nobody listens: what is seen now waits in the spools.
            exchange.Send("client", exchange.AddressOf("server"), 20500 + (round * 100), 100);
            controller = await StartControllerAsync(lab);
        }

        await StoredAsync(session.Id, Rounds * 200 * _routers.Length);
        await AssertEachOnceAsync(session.Id, 20000, Rounds * 100);
        await AssertEachOnceAsync(session.Id, 20500, Rounds * 100);
        ClusterSessionView after = await SessionAsync(session.Id);
        Assert.Equal("RUNNING", after.State);
    }

    [Fact]
    public async Task A_node_that_was_killed_resumes_its_session_and_records_the_gap()
    {
        Root.Required();
        using var lab = LabNetwork.Up(TopologyFile.Load("fleet"), Root.NewPrefix());
        await StartControllerAsync(lab);
        RunningProgram[] nodes = await StartNodesAsync(lab);
        ClusterSessionView session = await OpenSessionAsync("udp and dst portrange 20000-20999");
        LabExchange exchange = new(lab);
        exchange.Send("client", exchange.AddressOf("server"), 20000, 50);
        await StoredAsync(session.Id, 50 * _routers.Length);

        nodes[1].Kill();
        await nodes[1].ExitAsync();
        await UntilAsync(async () => (await NodesAsync()).Single(node => node.Name == "r2").State == NodeView.Offline, "r2 is offline");
        StartNode(lab, "r2", 2, null);
        await UntilAsync(async () => (await SessionAsync(session.Id)).Nodes.Single(node => node.NodeName == "r2") is { State: "RUNNING", IsConnected: true }, "r2 runs again");
        TraceQueries queries = new(Database.Open(State));
        string r2 = (await NodesAsync()).Single(node => node.Name == "r2").Id;
        await UntilAsync(async () => (await queries.LossesAsync(session.Id, TestContext.Current.CancellationToken)).Any(loss => loss.NodeId == r2 && loss.Count is null), "the gap of r2 is recorded");
        exchange.Send("client", exchange.AddressOf("server"), 20500, 50);

        await StoredAsync(session.Id, 100 * _routers.Length);
        await AssertEachOnceAsync(session.Id, 20500, 50);
    }

    private async Task<RunningProgram> StartControllerAsync(LabNetwork lab)
    {
        var controller = RunningProgram.StartOther("ip", "netns", "exec", lab.NamespaceOf("control"), RunningProgram.Executable, "controller", "--state-dir", State);
        _programs.Add(controller);
        await controller.SaysAsync("the controller listens");
        return controller;
    }

    private async Task<RunningProgram[]> StartNodesAsync(LabNetwork lab)
    {
        JoinTokenView token = await LocalController.PostAsync(State, "/join-tokens", new TokenOrder(600, _routers.Length), LocalJson.Default.TokenOrder, LocalJson.Default.JoinTokenView, TestContext.Current.CancellationToken);
        RunningProgram[] nodes = [.. _routers.Select((name, index) => StartNode(lab, name, index + 1, token.Token))];
        foreach (RunningProgram node in nodes)
        {
            await node.SaysAsync("connected to");
        }
        return nodes;
    }

    private RunningProgram StartNode(LabNetwork lab, string name, int number, string? token)
    {
        string[] joining = token is null ? [] : ["--token", token];
        var node = RunningProgram.StartOther("ip", ["netns", "exec", lab.NamespaceOf(name), RunningProgram.Executable, "node", "--controller", $"https://10.255.{number}.1", "--name", name, "--state-dir", _directory.File(name), .. joining]);
        _programs.Add(node);
        return node;
    }

    private async Task<ClusterSessionView> OpenSessionAsync(string filter)
    {
        ClusterSessionView made = await LocalController.PostAsync(State, "/sessions", new SessionRequest { Name = "truth", Filter = filter }, LocalJson.Default.SessionRequest, LocalJson.Default.ClusterSessionView, TestContext.Current.CancellationToken);
        await UntilAsync(async () => (await SessionAsync(made.Id)).Nodes.Count(node => node.State == "RUNNING") == _routers.Length, "all nodes run the session");
        return made;
    }

    private Task<ClusterSessionView> SessionAsync(string id) => LocalController.GetAsync(State, $"/sessions/{id}", LocalJson.Default.ClusterSessionView, TestContext.Current.CancellationToken);

    private Task<IReadOnlyList<NodeView>> NodesAsync() => LocalController.GetAsync(State, "/nodes", LocalJson.Default.IReadOnlyListNodeView, TestContext.Current.CancellationToken);

    private async Task StoredAsync(string session, int count)
    {
        TraceQueries queries = new(Database.Open(State));
        await UntilAsync(async () => (await AllAsync(queries, session)).Count >= count, $"{count} traces are stored");
    }

    private async Task AssertEachOnceAsync(string session, int firstPort, int count)
    {
        List<StoredTrace> all = await AllAsync(new TraceQueries(Database.Open(State)), session);
        foreach (IGrouping<string, StoredTrace> node in all.GroupBy(stored => stored.Id.NodeId, StringComparer.Ordinal))
        {
            var ports = node.Select(stored => stored.Trace.DstPort ?? 0).Where(port => port >= firstPort && port < firstPort + count).ToList();
            Assert.Equal(Enumerable.Range(firstPort, count), ports.Order());
        }
        Assert.Equal(_routers.Length, all.Select(stored => stored.Id.NodeId).Distinct(StringComparer.Ordinal).Count());
    }

    private static async Task<List<StoredTrace>> AllAsync(TraceQueries queries, string session)
    {
        List<StoredTrace> all = [];
        await foreach (StoredTrace stored in queries.AllAsync(session, TestContext.Current.CancellationToken))
        {
            all.Add(stored);
        }
        return all;
    }

    private async Task UntilAsync(Func<Task<bool>> holds, string what)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(Eventually.Patience);
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(100));
        while (!await holds())
        {
            try
            {
                await timer.WaitForNextTickAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"not within {Eventually.Patience.TotalSeconds} s: {what}; {string.Join(" || ", _programs.Select(program => program.Describe()))}");
            }
        }
    }
}
