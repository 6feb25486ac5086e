using NftCluster.Controller.Cluster;
using NftCluster.Messages.Link;

namespace NftCluster.Controller.Sessions;

/// <summary>From a session to what a node is told: who takes part, and in which words.</summary>
internal static class DesiredSessions
{
    public static bool Selects(NodeSelector selector, NodeView node) =>
        node.State != NodeView.Revoked
        && (selector.Names.Count == 0 || selector.Names.Contains(node.Name, StringComparer.Ordinal) || selector.Names.Contains(node.Id, StringComparer.Ordinal))
        && selector.Labels.All(wanted => node.Labels.TryGetValue(wanted.Key, out string? value) && value == wanted.Value);

    public static DesiredSession Of(ClusterSession session)
    {
        SessionRequest request = session.Request;
        SessionLimitsRequest limits = request.Limits;
        DesiredSession desired = new()
        {
            Id = session.Id,
            Generation = session.Generation,
            Mode = request.Mode,
            Filter = request.Filter,
            Device = request.Device ?? "",
            Netns = request.Netns ?? "",
            Mark = request.Mark ?? "",
            Quality = request.Quality,
            Paused = session.IsPaused,
            SnapBytes = (uint)request.SnapBytes,
            Limits = new SessionLimits
            {
                Packets = (ulong)limits.PacketsPerNode,
                EventsPerSecond = (ulong)limits.EventsPerSecond,
                CpuPercent = limits.CpuPercent,
                MemoryBytes = (ulong)limits.MemoryBytes,
                DiskBytes = (ulong)limits.DiskBytes,
                EndsNs = session.EndsAt is { } ends ? NodeConnection.UnixNs(ends) : 0,
            },
        };
        desired.Probes.AddRange(request.Probes);
        return desired;
    }
}
