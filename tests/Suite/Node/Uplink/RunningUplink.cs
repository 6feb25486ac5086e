using System.Collections.Concurrent;
using NftCluster.Actors;
using NftCluster.Messages.Link;
using NftCluster.Node.Agent;
using NftCluster.Node.Spool;
using NftCluster.Node.Uplink;
using NftCluster.TestKit;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Node.Uplink;

/// <summary>A node's real uplink and spool, joined to a scripted controller; the agent is the test.</summary>
internal sealed class RunningUplink : IAsyncDisposable
{
    private readonly ActorSystem _system = new("uplink-test", TimeProvider.System);
    private readonly ConcurrentQueue<string> _said = new();

    private RunningUplink(ScriptedController controller, NodeIdentity identity, string directory)
    {
        SpoolStore store = new(new SpoolOptions { Directory = Path.Combine(directory, "spool") }, TimeProvider.System);
        Spool = _system.Spawn<SpoolMessage>("spool", () => new SpoolActor(store, _said.Enqueue));
        Agent = new TestProbe<AgentMessage>(_system, "agent");
        UplinkOptions options = new()
        {
            Controller = controller.Address,
            Name = "r1",
            Labels = new Dictionary<string, string>(StringComparer.Ordinal) { ["site"] = "here" },
            Host = new Host { Hostname = "host" },
            FirstWait = TimeSpan.FromMilliseconds(20),
            RefusedWait = TimeSpan.FromMilliseconds(100),
        };
        Ref = _system.Spawn<UplinkMessage>("uplink", () => new UplinkActor(options, identity, Spool, Agent.Ref, store.Epoch, _said.Enqueue));
    }

    public ActorRef<SpoolMessage> Spool { get; }

    public ActorRef<UplinkMessage> Ref { get; }

    public TestProbe<AgentMessage> Agent { get; }

    public IEnumerable<string> Said => _said;

    public static async Task<RunningUplink> StartAsync(ScriptedController controller, TempDirectory directory)
    {
        NodeIdentity identity = new(directory.Path);
        if (!identity.HasJoined)
        {
            await new Enrollment(identity, TimeProvider.System).JoinAsync(controller.Address, controller.Token, "r1", new Dictionary<string, string>(StringComparer.Ordinal), TestContext.Current.CancellationToken);
        }
        return new RunningUplink(controller, identity, directory.Path);
    }

    public void SpoolLoss(string stage)
    {
        Spool.Tell(new SpoolLosses("s1", [new Loss { Stage = stage, Kind = "events", Count = 1 }]));
        Spool.Tell(new FlushSpool());
    }

    public Task<SpoolLevelNow> LevelAsync() => Spool.AskAsync<SpoolLevelNow>(reply => new GetSpoolLevel(reply), Patience.Default, TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync() => _ = await _system.StopAsync(Patience.Default);
}
