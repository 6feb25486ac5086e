using NftCluster.Actors;
using NftCluster.Node.Kernel;
using NftCluster.Node.Kernel.Probes;
using NftCluster.Node.Kernel.Symbols;
using NftCluster.Node.Pipeline;
using NftCluster.Node.Sessions;
using NftCluster.TestKit;
using NftCluster.Tests.Node.Pipeline;

namespace NftCluster.Tests.Node.Sessions;

/// <summary>A real session with its real parts; the node and the poller are played by the test.</summary>
internal sealed class SessionRig : IAsyncDisposable
{
    public const int Bit = 3;

    private static readonly KernelTypes _types = KernelTypes.Load();

    private readonly ActorTestSystem _system = new();

    private SessionRig()
    {
        Node = new TestProbe<NodeMessage>(_system.System, "node-heard");
        Poller = new TestProbe<PollerMessage>(_system.System, "poller");
    }

    /// <summary>What the node was told, questions left out.</summary>
    public TestProbe<NodeMessage> Node { get; }

    public TestProbe<PollerMessage> Poller { get; }

    public ActorRef<SessionMessage> Session { get; private set; } = null!;

    public ActorRef<ShardMessage> Shard { get; private set; } = null!;

    /// <summary>What the node says to another filter; null = it takes it.</summary>
    public string? FilterRefusal { get; set; }

    public KernelCounts Counts { get; set; } = new(0, 0, 0, 0, 0, 0, 0);

    /// <summary>A session that runs, with its events flowing.</summary>
    public static async Task<SessionRig> RunningAsync(SessionSpec spec)
    {
        SessionRig rig = new();
        ActorRef<NodeMessage> node = rig._system.Spawn<NodeMessage>("node", () => new ScriptedActor<NodeMessage> { OnMessage = (_, message) => rig.Answer(message) });
        // No test here drops packets: symbols are never asked for.
        HostFacts host = new("router", "6.12.0", "0.1.0", rig._system.Time, new TaskCompletionSource<KernelSymbols>().Task);
        SessionPlace place = new(Bit, node, rig.Poller.Ref, rig.Counts, new ProbeFacts(ProbeCatalog.All), new DropReasons(_types), host, 5);
        rig.Session = rig._system.Spawn<SessionMessage>("session", () => new SessionActor(spec, place, 64));
        rig.Shard = Assert.IsType<Subscribe>(await rig.Poller.ExpectMessageAsync("the session subscribes its shard")).Shard;
        rig.Session.Tell(new EventsBegan());
        return rig;
    }

    public static SessionSpec Spec(params ITraceOutput[] outputs) => new() { Id = "s1", Outputs = outputs };

    /// <summary>One packet through the router, as this session's events.</summary>
    public static Skb Packet(ushort id) => new(0x1_0000u + (id * 0x100u), Frames.Udp4(id)) { Sessions = 1 << Bit };

    public void Play(EventScript script)
    {
        EventBatch batch = script.ToBatch();
        batch.HandTo(1);
        Shard.Tell(new EventsRead(batch));
    }

    public void DrainedAt(ulong nowNs) => Shard.Tell(new RingDrained(new DrainNotice().HandTo(1, nowNs)));

    public Task<SessionEnded> StopAsync() =>
        Session.AskAsync<SessionEnded>(reply => new StopSession(reply), TimeSpan.FromMinutes(1)).WithPatience("the session answers its stop");

    public Task<LiveEnded> LiveAsync() =>
        Session.AskAsync<LiveEnded>(reply => new AwaitLive(reply), TimeSpan.FromMinutes(1)).WithPatience("the session's live side ends");

    public Task<SessionStatus> StatusAsync() =>
        Session.AskAsync<SessionStatus>(reply => new GetStatus(reply), TimeSpan.FromMinutes(1)).WithPatience("the session says its status");

    public async Task<FilterAnswer> ChangeFilterAsync(string expression) =>
        await Session.AskAsync<FilterAnswer>(reply => new ChangeFilter(expression, reply), TimeSpan.FromMinutes(1)).WithPatience("the session answers a filter");

    /// <summary>The node was told that no more events are wanted; all there were are with the shard.</summary>
    public async Task EndEventsAsync()
    {
        await Node.ExpectMessageAsync(m => m is EndEvents { Bit: Bit }, "the session ends its events");
        Session.Tell(new EventsEnded());
    }

    public ValueTask DisposeAsync() => _system.DisposeAsync();

    private void Answer(NodeMessage message)
    {
        switch (message)
        {
            case GetKernelCounts { ReplyTo: var asker }:
                asker.Tell(Counts);
                break;
            case ReplaceFilter { ReplyTo: var asker }:
                asker.Tell(new FilterAnswer(FilterRefusal));
                break;
            default:
                Node.Ref.Tell(message);
                break;
        }
    }
}
