using System.Text.Json;
using System.Text.Json.Nodes;
using NftCluster.Controller.Api;
using NftCluster.Controller.Cluster;
using NftCluster.Controller.Sessions;
using NftCluster.Controller.Stitching;
using NftCluster.Controller.Storage;
using NftCluster.Messages;

namespace NftCluster.Controller.Export;

/// <summary>A session as JSON, a trace at a time: the shape of a node's export with <c>hosts</c> and <c>journeys</c>, and in each trace <c>id</c>, <c>node_id</c> and <c>node_name</c> (docs/export.md).</summary>
internal sealed class SessionJson(TraceQueries queries, JourneyQueries journeys, string version)
{
    private const int FlushAt = 1 << 20;

    private static readonly JsonWriterOptions _lenient = new() { SkipValidation = true };

    /// <summary>Journeys only of a whole session: one that is cut in two would say of its packets what is not so.</summary>
    public async Task WriteAsync(Stream to, ClusterSessionView session, IReadOnlyList<NodeView> nodes, FrameRange range, CancellationToken cancellation)
    {
        await using Utf8JsonWriter json = new(to, _lenient);
        NodeView[] taking = [.. session.Nodes.Select(part => nodes.FirstOrDefault(node => node.Id == part.NodeId)).OfType<NodeView>()];
        var names = session.Nodes.ToDictionary(part => part.NodeId, part => part.NodeName, StringComparer.Ordinal);
        json.WriteStartObject();
        json.WritePropertyName("session");
        JsonSerializer.Serialize(json, SessionOf(session, taking), TraceJson.Default.SessionRecord);
        json.WritePropertyName("statistics");
        JsonSerializer.Serialize(json, await StatisticsAsync(session, cancellation), TraceJson.Default.StatisticsRecord);
        json.WriteStartArray("hosts");
        foreach (NodeSessionView part in session.Nodes)
        {
            WriteHost(json, part, taking.FirstOrDefault(view => view.Id == part.NodeId));
        }
        json.WriteEndArray();
        json.WriteStartArray("traces");
        await foreach (StoredTrace stored in queries.AllAsync(session.Id, range, cancellation))
        {
            WithNode(stored, names.GetValueOrDefault(stored.Id.NodeId, stored.Id.NodeId)).WriteTo(json);
            if (json.BytesPending > FlushAt)
            {
                await json.FlushAsync(cancellation);
            }
        }
        json.WriteEndArray();
        if (range == FrameRange.All)
        {
            json.WriteStartArray("journeys");
            await journeys.EachAsync(session.Id, names, journey =>
            {
                JsonSerializer.Serialize(json, journey, ApiJson.Options);
                if (json.BytesPending > FlushAt)
                {
                    json.Flush();
                }
            }, cancellation);
            json.WriteEndArray();
        }
        json.WriteEndObject();
        await json.FlushAsync(cancellation);
    }

    private static void WriteHost(Utf8JsonWriter json, NodeSessionView part, NodeView? node)
    {
        json.WriteStartObject();
        json.WriteString("node_id", part.NodeId);
        json.WriteString("node_name", part.NodeName);
        json.WriteString("kernel_release", node?.KernelRelease);
        json.WriteString("state", part.State);
        json.WriteString("failure_reason", part.FailureReason);
        json.WriteEndObject();
    }

    /// <summary>The trace as everywhere, its id, and where it was seen.</summary>
    public static JsonObject WithNode(StoredTrace stored, string nodeName)
    {
        JsonObject row = JsonSerializer.SerializeToNode(stored.Trace, TraceJson.Default.TraceRecord)!.AsObject();
        row["id"] = stored.Id.ToString();
        row["node_id"] = stored.Id.NodeId;
        row["node_name"] = nodeName;
        return row;
    }

    private SessionRecord SessionOf(ClusterSessionView session, NodeView[] nodes) => new()
    {
        Id = session.Id,
        Mode = session.Request.Mode,
        State = session.State,
        StartTime = TraceTime.Format(session.StartedAt ?? session.CreatedAt),
        EndTime = session.StoppedAt is { } end ? TraceTime.Format(end) : null,
        Host = string.Join(", ", session.Nodes.Select(node => node.NodeName)),
        KernelRelease = string.Join(", ", nodes.Select(node => node.KernelRelease).OfType<string>().Distinct(StringComparer.Ordinal)),
        Version = version,
        Filter = session.Request.Filter.Length > 0 ? session.Request.Filter : null,
        Device = session.Request.Device,
        Netns = session.Request.Netns,
        Mark = session.Request.Mark,
        Quality = session.Request.Quality,
        FailureReason = session.FailureReason,
    };

    /// <summary>What nodes counted, and beside it what was lost on the way and by retention.</summary>
    private async Task<StatisticsRecord> StatisticsAsync(ClusterSessionView session, CancellationToken cancellation)
    {
        StatisticsRecord sum = session.Statistics ?? StatisticsSum.Nothing;
        IReadOnlyList<StoredLoss> onTheWay = [.. (await queries.LossesAsync(session.Id, cancellation)), .. await queries.RemovalsAsync(session.Id, cancellation)];
        HashSet<string> counted = [.. sum.Losses.Select(loss => loss.Stage)];
        return sum with
        {
            Losses = [.. sum.Losses, .. onTheWay.Where(loss => !counted.Contains(loss.Stage)).Select(loss => new LossRecord
            {
                Stage = loss.Stage,
                // An unknown count is an interval of which it is not known how much was lost.
                Kind = loss.Count is null ? "intervals" : loss.Kind,
                Count = loss.Count ?? 1,
                From = TraceTime.Format(loss.FromNs),
                To = TraceTime.Format(loss.ToNs),
            })],
        };
    }
}
