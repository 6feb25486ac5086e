using NftCluster.Actors;
using NftCluster.Cli.Outputs;
using NftCluster.Messages;
using NftCluster.Node.Kernel;
using NftCluster.Node.Sessions;

namespace NftCluster.Tests.Truth;

/// <summary>One node in this process with one session on it, which keeps its traces and may export them, too.</summary>
internal sealed class TracedSession : IAsyncDisposable
{
    private readonly NodeHost _node;
    private readonly ActorRef<SessionMessage> _session;
    private readonly TraceCollector _collector;
    private readonly ExportOutput? _export;

    private TracedSession(NodeHost node, ActorRef<SessionMessage> session, TraceCollector collector, ExportOutput? export)
    {
        _node = node;
        _session = session;
        _collector = collector;
        _export = export;
    }

    public IReadOnlyList<TraceRecord> Traces => _collector.Traces;

    public string? ExportPath => _export?.Path;

    /// <summary>Skips the test where the forced backend cannot be had, with the reason.</summary>
    public static async Task<TracedSession> StartAsync(string netns, string? exportDirectory, string? filter = null)
    {
        Backend? backend = TruthSettings.Backend;
        var node = NodeHost.Start(new TracerOptions { Backend = backend, NetnsPath = SessionWants.PathOf(netns) }, TimeProvider.System);
        try
        {
            IReadOnlyList<ProbeState> probes = (await node.ProbesAsync(TestContext.Current.CancellationToken)).Probes;
            if (backend is { } forced && !probes.Any(probe => probe.Backend == forced))
            {
                Assert.Skip($"no {Backends.NameOf(forced)} here: {probes.FirstOrDefault(probe => probe.WhyNot is not null)?.WhyNot}");
            }
            var collector = new TraceCollector();
            var spec = new SessionSpec { Id = "truth", Netns = netns, Filter = filter, Quality = NftCluster.Node.Export.TraceQuality.All };
            ExportOutput? export = exportDirectory is null ? null : new ExportOutput(exportDirectory, node.Announce(spec));
            spec = spec with { Outputs = export is null ? [collector] : [collector, export] };
            return new TracedSession(node, await node.OpenAsync(spec, TestContext.Current.CancellationToken), collector, export);
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends in order: what the kernel half wrote is read, every trace closed and written.</summary>
    public Task<SessionEnded> StopAsync() =>
        _session.AskAsync<SessionEnded>(reply => new StopSession(reply), TruthSettings.Patience, TestContext.Current.CancellationToken);

    public ValueTask DisposeAsync() => _node.DisposeAsync();
}
