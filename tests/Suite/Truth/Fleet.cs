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

/// <summary>One controller and a node in each router that it has a link to, as a user runs them, in the namespaces of a topology of lab/.</summary>
internal sealed class Fleet(string topology = "fleet") : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly List<RunningProgram> _programs = [];
    private readonly Dictionary<string, RunningProgram> _nodes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SettableClock> _clocks = new(StringComparer.Ordinal);
    private RunningProgram? _controller;

    /// <summary>Of fleet.json.</summary>
    public static IReadOnlyList<string> Routers { get; } = ["r1", "r2", "r3"];

    /// <summary>Those with a node.</summary>
    public IReadOnlyList<string> Watched { get; } = [.. TopologyFile.Load(topology).Links.SelectMany(link => new[] { link.A, link.B }).Where(end => end.Device == "mgmt").Select(end => end.Host)];

    public LabNetwork Lab { get; } = LabNetwork.Up(TopologyFile.Load(topology), Root.NewPrefix());

    public string State => _directory.File("controller");

    /// <summary>A place for the test's own files.</summary>
    public string File(string name) => _directory.File(name);

    public void Dispose()
    {
        _programs.ForEach(program => program.Dispose());
        Lab.Dispose();
        _directory.Dispose();
    }

    public async Task StartAsync()
    {
        await StartControllerAsync();
        JoinTokenView token = await LocalController.PostAsync(State, "/join-tokens", new TokenOrder(600, Watched.Count), LocalJson.Default.TokenOrder, LocalJson.Default.JoinTokenView, TestContext.Current.CancellationToken);
        foreach (string name in Watched)
        {
            StartNode(name, "--token", token.Token);
        }
        foreach (RunningProgram node in _nodes.Values)
        {
            await node.SaysAsync("connected to");
        }
    }

    public async Task StartControllerAsync()
    {
        _controller = Keep(RunningProgram.StartOther("ip", "netns", "exec", Lab.NamespaceOf("control"), RunningProgram.Executable, "controller", "--state-dir", State));
        await _controller.SaysAsync("the controller listens");
    }

    public Task KillControllerAsync() => KillAsync(_controller!);

    /// <summary>From the node's next start on it has a wall clock of its own; before, none can be set.</summary>
    public SettableClock? ClockOf(string name) => _clocks.GetValueOrDefault(name);

    public void GiveClock(string name) => _clocks[name] = new SettableClock(_directory.File($"{name}.clock"));

    public void StartNode(string name, params string[] more) =>
        _nodes[name] = Keep(RunningProgram.StartOther("ip", ["netns", "exec", Lab.NamespaceOf(name), .. ClockOf(name)?.Environment ?? [], RunningProgram.Executable, "node", "--controller", $"https://10.255.{name[1..]}.1", "--name", name, "--state-dir", StateOf(name), .. more]));

    public Task KillNodeAsync(string name) => KillAsync(_nodes[name]);

    public string StateOf(string name) => _directory.File(name);

    public async Task<ClusterSessionView> OpenSessionAsync(string filter, string mode = "full")
    {
        ClusterSessionView made = await LocalController.PostAsync(State, "/sessions", new SessionRequest { Name = "truth", Filter = filter, Mode = mode }, LocalJson.Default.SessionRequest, LocalJson.Default.ClusterSessionView, TestContext.Current.CancellationToken);
        await UntilAsync(async () => (await SessionAsync(made.Id)).Nodes.Count(node => node.State == "RUNNING") == Watched.Count, "all nodes run the session");
        return made;
    }

    public Task<ClusterSessionView> SessionAsync(string id) => LocalController.GetAsync(State, $"/sessions/{id}", LocalJson.Default.ClusterSessionView, TestContext.Current.CancellationToken);

    public Task<IReadOnlyList<NodeView>> NodesAsync() => LocalController.GetAsync(State, "/nodes", LocalJson.Default.IReadOnlyListNodeView, TestContext.Current.CancellationToken);

    /// <summary>Of the database as it is, whether a controller runs or not.</summary>
    public TraceQueries Queries() => new(Database.Open(State));

    /// <summary>Stops it, and waits for every node's last word: it stands behind all traces of that node.</summary>
    public async Task EndSessionAsync(string id)
    {
        await LocalController.PostAsync(State, $"/sessions/{id}/stop", new SessionPatch(), LocalJson.Default.SessionPatch, LocalJson.Default.ClusterSessionView, TestContext.Current.CancellationToken);
        TraceQueries queries = Queries();
        await UntilAsync(async () => (await queries.ReportsAsync(id, TestContext.Current.CancellationToken)).Where(report => report.State == ClusterSession.Stopped).Select(report => report.NodeId).Distinct(StringComparer.Ordinal).Count() == Watched.Count, "every node has said its last word");
    }

    public Task RunsAsync(string session, string node) =>
        UntilAsync(async () => (await SessionAsync(session)).Nodes.Single(view => view.NodeName == node) is { State: "RUNNING", IsConnected: true }, $"{node} runs the session");

    public Task IsOfflineAsync(string node) =>
        UntilAsync(async () => (await NodesAsync()).Single(view => view.Name == node).State == NodeView.Offline, $"{node} is offline");

    public async Task UntilAsync(Func<Task<bool>> holds, string what)
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
                Assert.Fail($"not within {Eventually.Patience.TotalSeconds} s: {what}; {string.Join(" || ", _programs.TakeLast(8).Select(program => program.Describe()))}");
            }
        }
    }

    private static Task<int> KillAsync(RunningProgram program)
    {
        program.Kill();
        return program.ExitAsync();
    }

    private RunningProgram Keep(RunningProgram program)
    {
        _programs.Add(program);
        return program;
    }
}
