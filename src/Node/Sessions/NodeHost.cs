using NftCluster.Actors;
using NftCluster.Messages;
using NftCluster.Node.Kernel;

namespace NftCluster.Node.Sessions;

/// <summary>One node in this process: attaches the kernel half, runs the actors, and takes both down in order.</summary>
internal sealed class NodeHost : IAsyncDisposable
{
    private static readonly TimeSpan _stopPatience = TimeSpan.FromSeconds(10);

    /// <summary>An emulated machine that attaches two tracers at once needs more than ten seconds.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly ActorSystem _system;
    private readonly ActorRef<NodeMessage> _node;

    private NodeHost(ActorSystem system, ActorRef<NodeMessage> node, HostFacts facts)
    {
        _system = system;
        _node = node;
        Facts = facts;
    }

    public HostFacts Facts { get; }

    /// <summary>Returns when everything is attached. Throws <see cref="KernelException"/> with one line that says what is missing.</summary>
    public static NodeHost Start(TracerOptions options, TimeProvider time, Action<ActorFailure>? onFailure = null)
    {
        var facts = HostFacts.Read(time);
        var tracer = KernelTracer.Attach(options, facts.Symbols);
        ActorSystem system = new("node", time, new ActorSystemOptions { OnFailure = onFailure });
        ActorRef<NodeMessage> node = system.Spawn<NodeMessage>("node", () => new NodeActor(tracer, new BatchPool(), facts));
        return new NodeHost(system, node, facts);
    }

    /// <summary>The session's address once its events flow. Throws <see cref="KernelException"/> when the node refuses it.</summary>
    public async Task<ActorRef<SessionMessage>> OpenAsync(SessionSpec spec, CancellationToken cancellationToken)
    {
        SessionOpened opened = await _node.AskAsync<SessionOpened>(reply => new OpenSession(spec, reply), _patience, cancellationToken);
        return opened.Session ?? throw new KernelException(opened.Error ?? "the session could not start");
    }

    public Task<ProbeListing> ProbesAsync(CancellationToken cancellationToken) =>
        _node.AskAsync<ProbeListing>(reply => new GetProbes(reply), _patience, cancellationToken);

    /// <summary>A generation that was read since this host's first session began; null where it was not, or is too old.</summary>
    public async Task<Nftables.Ruleset?> RulesetAsync(uint generation, CancellationToken cancellationToken) =>
        (await _node.AskAsync<KeptRuleset>(reply => new GetRuleset(generation, reply), _patience, cancellationToken)).Ruleset;

    public Task<KernelCounts> CountsAsync(CancellationToken cancellationToken) =>
        _node.AskAsync<KernelCounts>(reply => new GetKernelCounts(reply), _patience, cancellationToken);

    /// <summary>The session's record as it begins, for the outputs that are made before it.</summary>
    public SessionRecord Announce(SessionSpec spec) => SessionReport.AtStart(spec, Facts);

    public async ValueTask DisposeAsync()
    {
        // The kernel half goes with the process in any case; what did not stop in time must not keep the user waiting.
        _ = await _system.StopAsync(_stopPatience);
    }
}
