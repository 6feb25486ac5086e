using System.Collections.Concurrent;
using NftCluster.Messages;

namespace NftCluster.Controller.Stitching;

/// <summary>Which headers a session's filter lets through, so that a journey can say where its own filter hides it. Thread-safe; compiling is the host's.</summary>
internal sealed class SessionFilters(Func<string, Predicate<PacketSide>?>? compile)
{
    private readonly ConcurrentDictionary<string, (string Filter, Predicate<PacketSide>? Passes)> _filters = new(StringComparer.Ordinal);

    public void Set(string sessionId, string filter)
    {
        if (compile is not null && (!_filters.TryGetValue(sessionId, out (string Filter, Predicate<PacketSide>? Passes) known) || known.Filter != filter))
        {
            _filters[sessionId] = (filter, filter.Length == 0 ? null : compile(filter));
        }
    }

    /// <summary>Null where everything passes, or nobody knows.</summary>
    public Predicate<PacketSide>? Of(string sessionId) => _filters.TryGetValue(sessionId, out (string Filter, Predicate<PacketSide>? Passes) known) ? known.Passes : null;
}
