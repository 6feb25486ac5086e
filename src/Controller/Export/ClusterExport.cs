using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using NftCluster.Controller.Cluster;
using NftCluster.Controller.Sessions;
using NftCluster.Controller.Storage;
using NftCluster.Messages;

namespace NftCluster.Controller.Export;

/// <summary>An export that is there: its file, the name it is offered by, and what its content is known by.</summary>
internal sealed record ExportFile(string Path, string Name, string Tag);

/// <summary>
/// A session's JSON export, written once to a file below the state directory, a trace at a time: the same bytes for each download, so that one that
/// broke off can go on. The shape is that of a node's export with <c>hosts</c>, and in each trace <c>node_id</c> and <c>node_name</c> (docs/export.md).
/// </summary>
internal sealed class ClusterExport(TraceQueries queries, string stateDirectory, string version, TimeProvider time)
{
    private const UnixFileMode Secret = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const int FlushAt = 1 << 20;

    /// <summary>Also what a killed writer left.</summary>
    private static readonly TimeSpan _kept = TimeSpan.FromDays(7);

    private static readonly JsonWriterOptions _lenient = new() { SkipValidation = true };

    private string Folder => Path.Combine(stateDirectory, "exports");

    /// <summary>Made anew where something was stored since the last one. Throws <see cref="StorageException"/>.</summary>
    public async Task<ExportFile> MakeAsync(ClusterSessionView session, IReadOnlyList<NodeView> nodes, CancellationToken cancellation)
    {
        long last = await queries.LastFrameAsync(session.Id, cancellation);
        string tag = string.Create(CultureInfo.InvariantCulture, $"{session.Id}.{session.State}.{last}");
        string path = Path.Combine(Folder, tag + ".json");
        string name = string.Create(CultureInfo.InvariantCulture, $"trace_{session.Request.Mode}_{session.Id}_{session.StoppedAt ?? session.StartedAt ?? session.CreatedAt:yyyyMMdd_HHmmss}.json");
        if (!File.Exists(path))
        {
            await WriteAsync(path, session, nodes, cancellation);
            Forget(session.Id, except: path);
            ForgetOld();
        }
        return new ExportFile(path, name, tag);
    }

    /// <summary>All exports of the session that are kept here.</summary>
    public void Forget(string sessionId, string? except = null)
    {
        if (!Directory.Exists(Folder))
        {
            return;
        }
        foreach (string old in Directory.EnumerateFiles(Folder, $"{sessionId}.*").Where(file => file != except))
        {
            File.Delete(old); // who reads it still has it open
        }
    }

    /// <summary>Whoever wants an old one gets it made anew, of what retention has left.</summary>
    private void ForgetOld()
    {
        foreach (string old in Directory.EnumerateFiles(Folder).Where(file => time.GetUtcNow().UtcDateTime - File.GetLastWriteTimeUtc(file) > _kept))
        {
            File.Delete(old);
        }
    }

    private async Task WriteAsync(string path, ClusterSessionView session, IReadOnlyList<NodeView> nodes, CancellationToken cancellation)
    {
        string unfinished = $"{path}.{Guid.NewGuid():N}";
        try
        {
            Directory.CreateDirectory(Folder, Secret | UnixFileMode.UserExecute);
            await using (FileStream file = new(unfinished, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = Secret, Options = FileOptions.Asynchronous }))
            {
                await using Utf8JsonWriter json = new(file, _lenient);
                await WriteAsync(json, session, nodes, cancellation);
                await json.FlushAsync(cancellation);
                file.Flush(flushToDisk: true);
            }
            File.Move(unfinished, path, overwrite: true);
        }
        catch (IOException full)
        {
            throw new StorageException($"the export cannot be written: {full.Message}", full);
        }
        finally
        {
            File.Delete(unfinished);
        }
    }

    private async Task WriteAsync(Utf8JsonWriter json, ClusterSessionView session, IReadOnlyList<NodeView> nodes, CancellationToken cancellation)
    {
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
            NodeView? node = taking.FirstOrDefault(view => view.Id == part.NodeId);
            json.WriteStartObject();
            json.WriteString("node_id", part.NodeId);
            json.WriteString("node_name", part.NodeName);
            json.WriteString("kernel_release", node?.KernelRelease);
            json.WriteString("state", part.State);
            json.WriteString("failure_reason", part.FailureReason);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("traces");
        await foreach (StoredTrace stored in queries.AllAsync(session.Id, cancellation))
        {
            WithNode(stored, names.GetValueOrDefault(stored.Id.NodeId, stored.Id.NodeId)).WriteTo(json);
            if (json.BytesPending > FlushAt)
            {
                await json.FlushAsync(cancellation);
            }
        }
        json.WriteEndArray();
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
