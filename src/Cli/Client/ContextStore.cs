using System.Text.Json;

namespace NftCluster.Cli.Client;

/// <summary>
/// Contexts and their tokens in one file, 0600, below $NFTCLUSTER_CLIENT_DIR, $XDG_CONFIG_HOME/nftcluster or ~/.config/nftcluster.
/// Replaced as a whole: a half-written file never has the name.
/// </summary>
internal sealed class ContextStore(string directory)
{
    private const UnixFileMode Secret = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    public string Path { get; } = System.IO.Path.Combine(directory, "contexts.json");

    public static ContextStore OfUser(Func<string, string?> environment) => new(
        environment("NFTCLUSTER_CLIENT_DIR") is { Length: > 0 } own ? own
        : environment("XDG_CONFIG_HOME") is { Length: > 0 } config ? System.IO.Path.Combine(config, "nftcluster")
        : System.IO.Path.Combine(environment("HOME") is { Length: > 0 } home ? home : ".", ".config", "nftcluster"));

    public ClientContexts Read()
    {
        if (!File.Exists(Path))
        {
            return new ClientContexts();
        }
        if ((File.GetUnixFileMode(Path) & Others) != 0)
        {
            throw new UsageException($"{Path} holds tokens and others may read it: chmod 600 {Path}");
        }
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllText(Path), ClientJson.Default.ClientContexts) ?? new ClientContexts();
        }
        catch (JsonException)
        {
            throw new UsageException($"{Path} is damaged: remove it and log in again");
        }
    }

    /// <summary>The named one, or the current one. Throws <see cref="UsageException"/> with what to do.</summary>
    public (string Name, ClientContext Context) Find(string? name)
    {
        ClientContexts all = Read();
        if ((name ?? all.Current) is not { } wanted)
        {
            throw new UsageException("not logged in to any controller: nftcluster login https://HOST:7443");
        }
        return all.Contexts.TryGetValue(wanted, out ClientContext? found)
            ? (wanted, found)
            : throw new UsageException($"there is no context '{wanted}': {(all.Contexts.Count == 0 ? "log in first" : $"there are {string.Join(", ", all.Contexts.Keys.Order(StringComparer.Ordinal))}")}");
    }

    public void Keep(string name, ClientContext context, bool makeCurrent)
    {
        ClientContexts before = Read();
        Write(new ClientContexts
        {
            Current = makeCurrent ? name : before.Current,
            Contexts = new Dictionary<string, ClientContext>(before.Contexts, StringComparer.Ordinal) { [name] = context },
        });
    }

    public void Remove(string name)
    {
        ClientContexts before = Read();
        Dictionary<string, ClientContext> left = new(before.Contexts, StringComparer.Ordinal);
        left.Remove(name);
        Write(new ClientContexts { Current = before.Current == name ? null : before.Current, Contexts = left });
    }

    private void Write(ClientContexts contexts)
    {
        Directory.CreateDirectory(directory, Secret | UnixFileMode.UserExecute);
        string unfinished = $"{Path}.{Environment.ProcessId}";
        File.Delete(unfinished);
        using (FileStream stream = new(unfinished, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = Secret }))
        {
            JsonSerializer.Serialize(stream, contexts, ClientJson.Default.ClientContexts);
            stream.Flush(flushToDisk: true);
        }
        File.Move(unfinished, Path, overwrite: true);
    }
}
