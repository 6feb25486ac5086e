using System.Globalization;
using NftCluster.Controller.Cluster;
using NftCluster.Controller.Sessions;
using NftCluster.Controller.Stitching;
using NftCluster.Controller.Storage;

namespace NftCluster.Controller.Export;

/// <summary>An export that is there: its file, the name it is offered by, and what its content is known by.</summary>
internal sealed record ExportFile(string Path, string Name, string Tag, string ContentType);

/// <summary>json or pcapng.</summary>
internal enum ExportFormat
{
    Json,
    Pcapng,
}

/// <summary>
/// A session's exports, each written once to a file below the state directory, a trace at a time: the same bytes for each download, so that one that
/// broke off can go on.
/// </summary>
internal sealed class ClusterExport(TraceQueries queries, JourneyQueries journeys, string stateDirectory, string version, TimeProvider time)
{
    private const UnixFileMode Secret = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Also what a killed writer left.</summary>
    private static readonly TimeSpan _kept = TimeSpan.FromDays(7);

    private readonly SessionJson _json = new(queries, journeys, version);
    private readonly SessionPcapng _pcapng = new(queries, version);

    private string Folder => Path.Combine(stateDirectory, "exports");

    /// <summary>Made anew where something was stored since the last one. Throws <see cref="StorageException"/>.</summary>
    public async Task<ExportFile> MakeAsync(ClusterSessionView session, IReadOnlyList<NodeView> nodes, ExportFormat format, CancellationToken cancellation)
    {
        long last = await queries.LastFrameAsync(session.Id, cancellation);
        string ending = format == ExportFormat.Json ? "json" : "pcapng";
        string tag = string.Create(CultureInfo.InvariantCulture, $"{session.Id}.{session.State}.{last}");
        string path = Path.Combine(Folder, $"{tag}.{ending}");
        string name = string.Create(CultureInfo.InvariantCulture, $"trace_{session.Request.Mode}_{session.Id}_{session.StoppedAt ?? session.StartedAt ?? session.CreatedAt:yyyyMMdd_HHmmss}.{ending}");
        if (!File.Exists(path))
        {
            await WriteFileAsync(path, file => format == ExportFormat.Json
                ? _json.WriteAsync(file, session, nodes, FrameRange.All, cancellation)
                : _pcapng.WriteAsync(file, session, cancellation));
            Forget(session.Id, $"*.{ending}", except: path);
            ForgetOld();
        }
        return new ExportFile(path, name, $"{tag}.{ending}", format == ExportFormat.Json ? "application/json" : "application/x-pcapng");
    }

    /// <summary>What was stored of the session since the last part, as a file that stays until it is too old or too many: null where nothing was.</summary>
    public async Task<ExportPart?> RotateAsync(ClusterSessionView session, IReadOnlyList<NodeView> nodes, CancellationToken cancellation)
    {
        long last = await queries.LastFrameAsync(session.Id, cancellation);
        long first = Parts(session.Id).Select(part => part.LastFrame).DefaultIfEmpty(0).Max();
        if (last <= first)
        {
            return null;
        }
        SweepParts();
        ExportPart part = new(Path.Combine(PartFolder, $"{session.Id}.{first + 1}-{last}.json"), first + 1, last);
        await WriteFileAsync(part.Path, file => _json.WriteAsync(file, session, nodes, new FrameRange(first, last), cancellation));
        return part;
    }

    /// <summary>What a killed writer left: nobody else writes here.</summary>
    private void SweepParts()
    {
        if (Directory.Exists(PartFolder))
        {
            foreach (string unfinished in Directory.EnumerateFiles(PartFolder).Where(file => !file.EndsWith(".json", StringComparison.Ordinal)))
            {
                File.Delete(unfinished);
            }
        }
    }

    /// <summary>Oldest first.</summary>
    public IReadOnlyList<ExportPart> Parts(string sessionId) => !Directory.Exists(PartFolder) ? [] :
        [.. Directory.EnumerateFiles(PartFolder, $"{sessionId}.*.json").Select(ExportPart.Parse).OfType<ExportPart>().OrderBy(part => part.LastFrame)];

    /// <summary>The oldest parts of all sessions go until the rest is no more than that. The newest of each stays: the next begins behind it.</summary>
    public void TrimParts(long mostBytes)
    {
        if (mostBytes <= 0 || !Directory.Exists(PartFolder))
        {
            return;
        }
        FileInfo[] files = [.. new DirectoryInfo(PartFolder).EnumerateFiles("*.json").OrderBy(file => file.LastWriteTimeUtc)];
        long bytes = files.Sum(file => file.Length);
        var newest = files.GroupBy(file => file.Name.Split('.')[0], StringComparer.Ordinal).Select(session => session.Last().Name).ToHashSet(StringComparer.Ordinal);
        foreach (FileInfo file in files.Where(file => !newest.Contains(file.Name)))
        {
            if (bytes <= mostBytes)
            {
                return;
            }
            bytes -= file.Length;
            file.Delete();
        }
    }

    /// <summary>All exports of the session that are kept here.</summary>
    public void Forget(string sessionId)
    {
        Forget(sessionId, "*", except: null);
        foreach (ExportPart part in Parts(sessionId))
        {
            File.Delete(part.Path);
        }
    }

    private string PartFolder => Path.Combine(Folder, "parts");

    private void Forget(string sessionId, string pattern, string? except)
    {
        if (!Directory.Exists(Folder))
        {
            return;
        }
        foreach (string old in Directory.EnumerateFiles(Folder, $"{sessionId}.{pattern}").Where(file => file != except))
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

    private static async Task WriteFileAsync(string path, Func<Stream, Task> write)
    {
        string unfinished = $"{path}.{Guid.NewGuid():N}";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!, Secret | UnixFileMode.UserExecute);
            await using (FileStream file = new(unfinished, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = Secret, Options = FileOptions.Asynchronous }))
            {
                await write(file);
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
}
