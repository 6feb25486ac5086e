using System.Collections.Concurrent;
using NftCluster.Controller.Sessions;
using NftCluster.Messages;

namespace NftCluster.Controller.Stitching;

/// <summary>What a session could see: which headers its filter lets through (null = all, or nobody knows), and nodes that were to take part and never ran it, in words.</summary>
internal sealed record SessionScope(Predicate<PacketSide>? Filter, IReadOnlyDictionary<string, string> Blind)
{
    public static SessionScope Everything { get; } = new(null, new Dictionary<string, string>(StringComparer.Ordinal));
}

/// <summary>The scopes of all sessions as they are told, so that a journey can say what hides its rest. Thread-safe; compiling is the host's.</summary>
internal sealed class SessionScopes(Func<string, Predicate<PacketSide>?>? compile)
{
    private readonly ConcurrentDictionary<string, (string Filter, SessionScope Scope)> _scopes = new(StringComparer.Ordinal);

    public void Set(ClusterSessionView session)
    {
        string text = session.Request.Filter;
        Predicate<PacketSide>? filter = _scopes.TryGetValue(session.Id, out (string Filter, SessionScope Scope) known) && known.Filter == text ? known.Scope.Filter
            : text.Length == 0 ? null : compile?.Invoke(text);
        _scopes[session.Id] = (text, new SessionScope(filter, session.Nodes.Where(node => node.Statistics is null && node.State is "FAILED" or SessionMembers.Waiting)
            .ToDictionary(node => node.NodeId, node => node.FailureReason ?? (node.IsConnected ? "does not run it yet" : "offline"), StringComparer.Ordinal)));
    }

    public void Forget(string sessionId) => _scopes.TryRemove(sessionId, out _);

    public SessionScope Of(string sessionId) => _scopes.TryGetValue(sessionId, out (string Filter, SessionScope Scope) known) ? known.Scope : SessionScope.Everything;
}
