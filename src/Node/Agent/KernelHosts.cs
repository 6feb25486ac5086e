using NftCluster.Actors;
using NftCluster.Node.Kernel;
using NftCluster.Node.Kernel.Probes;
using NftCluster.Node.Sessions;

namespace NftCluster.Node.Agent;

/// <summary>
/// The attachments of this node: one set per choice of probes and namespace, shared by all sessions that chose the same (nearly
/// always one). Attached for the first of them, detached after the last.
/// </summary>
internal sealed class KernelHosts(AgentOptions options, TimeProvider time, Action<ActorFailure> onFailure) : IAsyncDisposable
{
    private readonly Dictionary<string, (NodeHost Host, int Sessions)> _hosts = new(StringComparer.Ordinal);

    /// <summary>Throws <see cref="KernelException"/> with one line. Whoever got one gives it back.</summary>
    public (string Key, NodeHost Host) Rent(string probes, string? netns)
    {
        string key = $"{netns} {probes}";
        if (_hosts.TryGetValue(key, out (NodeHost Host, int Sessions) known))
        {
            _hosts[key] = (known.Host, known.Sessions + 1);
            return (key, known.Host);
        }
        if (!ProbeSelection.TryParse(probes, out IReadOnlyList<ProbeDefinition> rows, out string? error))
        {
            throw new KernelException(error!);
        }
        TracerOptions tracer = new()
        {
            Probes = rows,
            Backend = options.Backend,
            BackendIsRequired = options.Backend is not null,
            NetnsPath = SessionWants.PathOf(netns),
            RingBytes = options.RingBytes,
        };
        var host = NodeHost.Start(tracer, time, onFailure);
        _hosts[key] = (host, 1);
        return (key, host);
    }

    public async ValueTask ReturnAsync(string key)
    {
        if (!_hosts.TryGetValue(key, out (NodeHost Host, int Sessions) known))
        {
            return;
        }
        if (known.Sessions > 1)
        {
            _hosts[key] = (known.Host, known.Sessions - 1);
            return;
        }
        _hosts.Remove(key);
        await known.Host.DisposeAsync();
    }

    public IEnumerable<NodeHost> Running => _hosts.Values.Select(known => known.Host);

    public async ValueTask DisposeAsync()
    {
        foreach ((NodeHost host, _) in _hosts.Values)
        {
            await host.DisposeAsync();
        }
        _hosts.Clear();
    }
}
