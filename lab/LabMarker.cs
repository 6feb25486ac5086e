using System.Text.Json;

namespace NftCluster.Lab;

/// <summary>
/// What a lab leaves on the machine to be found again: written before the first namespace exists.
/// Each namespace carries <see cref="Id"/> as the alias of its loopback device, so one of the same name that somebody else made is told apart.
/// </summary>
internal sealed record LabMarker
{
    // /run is emptied at boot, and so are the namespaces.
    private const string Directory = "/run/nftcluster/lab";

    public required string Prefix { get; init; }

    public required string Id { get; init; }

    public required Topology Topology { get; init; }

    public string Alias => $"nftcluster lab {Prefix} {Id}";

    public string NamespaceOf(string host) => $"{Prefix}-{host}";

    public static IReadOnlyList<LabMarker> All() =>
        System.IO.Directory.Exists(Directory)
            ? [.. System.IO.Directory.EnumerateFiles(Directory, "*.json").Order(StringComparer.Ordinal).Select(file => Read(Path.GetFileNameWithoutExtension(file))).OfType<LabMarker>()]
            : [];

    public static LabMarker? Read(string prefix)
    {
        try
        {
            return JsonSerializer.Deserialize<LabMarker>(File.ReadAllText(PathOf(prefix)));
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (JsonException exception)
        {
            throw new LabException($"{PathOf(prefix)} is damaged: remove it, and the namespaces '{prefix}-…' with 'ip netns del'.", exception);
        }
    }

    /// <summary>Never seen half: a lab that is killed here has either this marker or none, and no namespace yet.</summary>
    public void Write()
    {
        System.IO.Directory.CreateDirectory(Directory);
        string temporary = $"{PathOf(Prefix)}.{Id}";
        File.WriteAllText(temporary, JsonSerializer.Serialize(this));
        File.Move(temporary, PathOf(Prefix), overwrite: true);
    }

    public void Remove() => File.Delete(PathOf(Prefix));

    private static string PathOf(string prefix) => Path.Combine(Directory, prefix + ".json");
}
