using NftCluster.Actors;
using NftCluster.Cli.Outputs;
using NftCluster.Messages;
using NftCluster.Node.Kernel;
using NftCluster.Node.Sessions;

namespace NftCluster.Tests.Truth;

/// <summary>One session in this process, which keeps its traces and may export them, too: on a node of its own, or on one that all share.</summary>
internal sealed class TracedSession : IAsyncDisposable
{
    // Lives as long as the process; the kernel takes everything back at its end.
    private static readonly Lazy<NodeHost> _shared = new(() => NodeHost.Start(new TracerOptions { Backend = TruthSettings.Backend }, TimeProvider.System));

    private readonly NodeHost _node;
    private readonly ActorRef<SessionMessage> _session;
    private readonly TraceCollector _collector;
    private readonly ExportOutput? _export;
    private readonly bool _ownsNode;
    private bool _ended;

    private TracedSession(NodeHost node, bool ownsNode, ActorRef<SessionMessage> session, TraceCollector collector, ExportOutput? export)
    {
        _node = node;
        _ownsNode = ownsNode;
        _session = session;
        _collector = collector;
        _export = export;
    }

    public IReadOnlyList<TraceRecord> Traces => _collector.Traces;

    public string? ExportPath => _export?.Path;

    /// <summary>Skips the test where the forced backend cannot be had, with the reason.</summary>
    /// <remarks>An emulated kernel takes half a minute to load and attach, and as long to let go: there one node serves every test.</remarks>
    public static Task<TracedSession> StartAsync(string netns, string? exportDirectory, string? filter = null) =>
        StartAsync(netns, TruthSettings.SharesNode, exportDirectory, filter, needsVerdicts: false);

    /// <summary>On a node of its own, because nft's verdicts are of one namespace; skips the test where they cannot be had.</summary>
    public static Task<TracedSession> StartWithVerdictsAsync(string netns, string? filter = null) => StartAsync(netns, shares: false, null, filter, needsVerdicts: true);

    /// <summary>Another session on the same node that wants every packet, and keeps none.</summary>
    public Task WantEverythingAsync(string netns) => _node.OpenAsync(new SessionSpec { Id = "everything", Netns = netns }, TestContext.Current.CancellationToken);

    private static async Task<TracedSession> StartAsync(string netns, bool shares, string? exportDirectory, string? filter, bool needsVerdicts)
    {
        Backend? backend = TruthSettings.Backend;
        NodeHost node = shares
            ? _shared.Value
            : NodeHost.Start(new TracerOptions { Backend = backend, NetnsPath = SessionWants.PathOf(netns) }, TimeProvider.System);
        try
        {
            IReadOnlyList<ProbeState> probes = (await node.ProbesAsync(TestContext.Current.CancellationToken)).Probes;
            if (backend is { } forced && !probes.Any(probe => probe.Backend == forced))
            {
                Assert.Skip($"no {Backends.NameOf(forced)} here: {probes.FirstOrDefault(probe => probe.WhyNot is not null)?.WhyNot}");
            }
            if (needsVerdicts && probes.First(probe => probe.Definition.Kind == NftCluster.Node.Kernel.Probes.ProbeKind.Nft) is { Backend: null } nft)
            {
                Assert.Skip($"no nft verdicts here: {nft.WhyNot}");
            }
            var collector = new TraceCollector();
            var spec = new SessionSpec { Id = "truth", Netns = netns, Filter = filter, Quality = NftCluster.Node.Export.TraceQuality.All };
            ExportOutput? export = exportDirectory is null ? null : new ExportOutput(exportDirectory, node.Announce(spec));
            spec = spec with { Outputs = export is null ? [collector] : [collector, export] };
            return new TracedSession(node, !shares, await node.OpenAsync(spec, TestContext.Current.CancellationToken), collector, export);
        }
        catch when (!shares)
        {
            await node.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends in order: what the kernel half wrote is read, every trace closed and written.</summary>
    public Task<SessionEnded> StopAsync()
    {
        _ended = true;
        return _session.AskAsync<SessionEnded>(reply => new StopSession(reply), TruthSettings.Patience, TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (_ownsNode)
        {
            await _node.DisposeAsync();
        }
        else if (!_ended)
        {
            _ = await StopAsync();
        }
    }
}
