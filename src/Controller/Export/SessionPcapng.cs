using NftCluster.Controller.Sessions;
using NftCluster.Controller.Storage;
using NftCluster.Messages.Pcapng;

namespace NftCluster.Controller.Export;

/// <summary>Traces as a capture file: of a session, of a journey, of one.</summary>
internal sealed class SessionPcapng(TraceQueries queries, string version)
{
    public async Task WriteAsync(Stream to, ClusterSessionView session, CancellationToken cancellation)
    {
        var names = session.Nodes.ToDictionary(part => part.NodeId, part => part.NodeName, StringComparer.Ordinal);
        using PcapngWriter capture = new(to, Application(version));
        await foreach (StoredTrace stored in queries.AllAsync(session.Id, FrameRange.All, cancellation))
        {
            capture.Add(stored.Trace, names.GetValueOrDefault(stored.Id.NodeId, stored.Id.NodeId), stored.Id.ToString());
        }
        capture.Flush();
    }

    /// <summary>In the order that is given.</summary>
    public static byte[] Of(IEnumerable<StoredTrace> traces, Func<string, string> nameOf, string version)
    {
        using MemoryStream bytes = new();
        using PcapngWriter capture = new(bytes, Application(version));
        foreach (StoredTrace stored in traces)
        {
            capture.Add(stored.Trace, nameOf(stored.Id.NodeId), stored.Id.ToString());
        }
        capture.Flush();
        return bytes.ToArray();
    }

    private static string Application(string version) => $"NftCluster {version}";
}
