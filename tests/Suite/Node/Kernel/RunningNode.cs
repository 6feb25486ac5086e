using System.Collections.Concurrent;
using NftCluster.Actors;
using NftCluster.Messages;
using NftCluster.Node.Kernel;
using NftCluster.Node.Kernel.Probes;
using NftCluster.Node.Sessions;
using NftCluster.Tests.Lab;
using NftCluster.Tests.Node.Sessions;

namespace NftCluster.Tests.Node.Kernel;

/// <summary>A node on this very kernel, and the sessions a test opens on it. Needs root; tests that use it run one after the other.</summary>
internal sealed class RunningNode : IAsyncDisposable
{
    public const string Collection = "this kernel";

    private readonly ConcurrentQueue<string> _failures = new();

    private RunningNode()
    {
        Host = NodeHost.Start(
            new TracerOptions { Probes = ProbeCatalog.Light, RingBytes = 8 << 20 },
            TimeProvider.System,
            failure => _failures.Enqueue($"{failure.Path}: {failure.Error.Message}"));
    }

    public NodeHost Host { get; }

    /// <summary>Actors that threw: none should.</summary>
    public IEnumerable<string> Failures => _failures;

    public static RunningNode Start()
    {
        Root.Required();
        return new RunningNode();
    }

    public async Task<RunningSession> OpenAsync(string id, string netns, string? filter)
    {
        RecordingOutput output = new();
        SessionSpec spec = new() { Id = id, Netns = netns, Filter = filter, Quality = "all", Outputs = [output] };
        return new RunningSession(await Host.OpenAsync(spec, CancellationToken.None), output);
    }

    public ValueTask DisposeAsync() => Host.DisposeAsync();
}

/// <summary>One session of a running node, with everything it wrote.</summary>
internal sealed record RunningSession(ActorRef<SessionMessage> Ref, RecordingOutput Output)
{
    public IReadOnlyList<TraceRecord> Traces => [.. Output.Traces];

    public Task<SessionEnded> StopAsync() =>
        Ref.AskAsync<SessionEnded>(reply => new StopSession(reply), TimeSpan.FromSeconds(20), CancellationToken.None);
}
