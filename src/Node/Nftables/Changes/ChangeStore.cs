using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using NftCluster.Node.Export;

namespace NftCluster.Node.Nftables.Changes;

/// <summary>
/// The state directory, readable by its owner only:
/// <code>
/// lock                       held by whoever changes something
/// changes/ID.json            a change and what takes it back
/// pending-NETNS.json         a change that waits for its confirmation, by the namespace's inode
/// log.jsonl, log.1.jsonl     every change with who, when, before, after
/// </code>
/// A file is written under another name, synced and renamed: after a crash it is there whole or not at all.
/// </summary>
internal sealed class ChangeStore
{
    public const string DefaultDirectory = "/var/lib/nftcluster/rules";

    private const int MostChanges = 100;
    private const long LargestLog = 16 * 1024 * 1024;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OthersWrite = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _between = TimeSpan.FromMilliseconds(50);

    private readonly string _directory;

    private ChangeStore(string directory) => _directory = directory;

    public string Directory => _directory;

    private string LogPath => Path.Combine(_directory, "log.jsonl");

    private string OldLogPath => Path.Combine(_directory, "log.1.jsonl");

    private string Changes => Path.Combine(_directory, "changes");

    /// <summary>Makes the directory where it is missing, and refuses one that others could write to: its content is run as root.</summary>
    public static ChangeStore Open(string directory)
    {
        string path = Path.GetFullPath(directory);
        try
        {
            foreach (string part in (string[])[path, Path.Combine(path, "changes")])
            {
                _ = System.IO.Directory.CreateDirectory(part, OwnerOnly | UnixFileMode.UserExecute);
                if (new DirectoryInfo(part).LinkTarget is not null)
                {
                    throw new RuleChangeException($"{part} is a link: give --state a directory");
                }
                if ((File.GetUnixFileMode(part) & OthersWrite) != 0)
                {
                    throw new RuleChangeException($"{part} can be written by others: chmod 700 it, or give another --state");
                }
            }
        }
        catch (Exception unusable) when (unusable is IOException or UnauthorizedAccessException)
        {
            throw new RuleChangeException($"the state directory cannot be used: {unusable.Message}");
        }
        return new ChangeStore(path);
    }

    /// <summary>Until it is disposed, or its process dies, nobody else changes anything through this directory.</summary>
    public IDisposable Lock()
    {
        long began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                return new FileStream(Path.Combine(_directory, "lock"), new FileStreamOptions
                {
                    Mode = FileMode.OpenOrCreate,
                    Access = FileAccess.ReadWrite,
                    Share = FileShare.None,
                    UnixCreateMode = OwnerOnly,
                });
            }
            catch (IOException) when (TimeProvider.System.GetElapsedTime(began) < _patience)
            {
                Thread.Sleep(_between); // another change takes milliseconds
            }
            catch (IOException)
            {
                throw new RuleChangeException($"another change is under way ({_directory}/lock is held): try again");
            }
        }
    }

    public void Save(ChangeFile change)
    {
        WriteDurably(Path.Combine(Changes, $"{change.Id}.json"), change, ChangeJson.Default.ChangeFile);
        foreach (string old in ChangePaths().Skip(MostChanges))
        {
            File.Delete(old);
        }
    }

    public void Remove(ChangeFile change) => File.Delete(Path.Combine(Changes, $"{change.Id}.json"));

    public ChangeFile? Find(string id)
    {
        string path = Path.Combine(Changes, $"{Path.GetFileName(id)}.json");
        return File.Exists(path) ? Read(path, ChangeJson.Default.ChangeFile) : null;
    }

    /// <summary>The newest change of this namespace that has not been taken back.</summary>
    public ChangeFile? Newest(uint netnsInode) => ChangePaths()
        .Select(path => Read(path, ChangeJson.Default.ChangeFile))
        .FirstOrDefault(change => change.NetnsInode == netnsInode && change.Status != ChangeStatus.Undone);

    public PendingConfirmation? Pending(uint netnsInode) =>
        File.Exists(PendingPath(netnsInode)) ? Read(PendingPath(netnsInode), ChangeJson.Default.PendingConfirmation) : null;

    public void SetPending(uint netnsInode, PendingConfirmation pending) => WriteDurably(PendingPath(netnsInode), pending, ChangeJson.Default.PendingConfirmation);

    public void ClearPending(uint netnsInode)
    {
        File.Delete(PendingPath(netnsInode));
        DirectorySync.Flush(_directory);
    }

    public void Log(ChangeLogEntry entry)
    {
        if (File.Exists(LogPath) && new FileInfo(LogPath).Length > LargestLog)
        {
            File.Move(LogPath, OldLogPath, overwrite: true);
        }
        using FileStream file = new(LogPath, new FileStreamOptions { Mode = FileMode.Append, Access = FileAccess.Write, UnixCreateMode = OwnerOnly });
        // One write: a line is there whole.
        file.Write([.. JsonSerializer.SerializeToUtf8Bytes(entry, ChangeJson.Default.ChangeLogEntry), (byte)'\n']);
        file.Flush(flushToDisk: true);
    }

    /// <summary>Oldest first. A line that was cut off by a crash is left out.</summary>
    public IEnumerable<ChangeLogEntry> ReadLog()
    {
        foreach (string line in ((string[])[OldLogPath, LogPath]).Where(File.Exists).SelectMany(File.ReadLines))
        {
            ChangeLogEntry? entry = null;
            try
            {
                entry = JsonSerializer.Deserialize(line, ChangeJson.Default.ChangeLogEntry);
            }
            catch (JsonException)
            {
                // Written while the machine went down.
            }
            if (entry is not null)
            {
                yield return entry;
            }
        }
    }

    /// <summary>Newest first: an id begins with its time.</summary>
    private IEnumerable<string> ChangePaths() => System.IO.Directory.EnumerateFiles(Changes, "*.json").OrderDescending(StringComparer.Ordinal);

    private string PendingPath(uint netnsInode) => Path.Combine(_directory, $"pending-{netnsInode}.json");

    private static T Read<T>(string path, JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), type) ?? throw new RuleChangeException($"{path} is empty: move it away");
        }
        catch (JsonException broken)
        {
            throw new RuleChangeException($"{path} cannot be read ({broken.Message.Split('\n')[0]}): move it away");
        }
    }

    private static void WriteDurably<T>(string path, T content, JsonTypeInfo<T> type)
    {
        string partial = path + ".partial";
        try
        {
            using (FileStream file = new(partial, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
            {
                file.Write(JsonSerializer.SerializeToUtf8Bytes(content, type));
                file.Flush(flushToDisk: true);
            }
            File.Move(partial, path, overwrite: true);
            DirectorySync.Flush(Path.GetDirectoryName(path)!);
        }
        catch (IOException full)
        {
            throw new RuleChangeException($"the state cannot be kept: {full.Message}");
        }
    }
}
