using System.Text.Json;
using System.Text.Json.Serialization;

namespace NftCluster.Lab;

/// <summary>Finds, reads and checks topology files.</summary>
public static class TopologyFile
{
    private static readonly JsonSerializerOptions _options = new(JsonSerializerDefaults.General)
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        WriteIndented = true,
    };

    // In lab/ beside the executable, or straight beside it, depending on how the build lays them out.
    private static string ShippedDirectory =>
        Path.Combine(AppContext.BaseDirectory, "lab") is { } lab && Directory.Exists(lab) ? lab : AppContext.BaseDirectory;

    /// <summary>The names of the topologies that lie beside the executable.</summary>
    public static IReadOnlyList<string> Shipped() =>
        [.. Directory.EnumerateFiles(ShippedDirectory, "*.json").Select(file => Path.GetFileNameWithoutExtension(file)).Where(TopologyCheck.IsLabName).Order(StringComparer.Ordinal)];

    /// <summary>Loads a file, or a topology that lies beside the executable by its name.</summary>
    public static Topology Load(string fileOrName)
    {
        string shipped = Path.Combine(ShippedDirectory, fileOrName + ".json");
        string file = !LooksLikeFile(fileOrName) && File.Exists(shipped) ? shipped : fileOrName;
        if (!File.Exists(file))
        {
            throw new LabException(LooksLikeFile(fileOrName)
                ? $"there is no topology file '{fileOrName}': give the path of one, or a name ({string.Join(", ", Shipped())})."
                : $"there is no topology '{fileOrName}': give a file, or one of these names: {string.Join(", ", Shipped())}.");
        }

        try
        {
            return Parse(File.ReadAllText(file), file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new LabException($"{file}: cannot be read: {exception.Message}", exception);
        }
    }

    /// <summary>Parses and checks; <paramref name="source"/> begins each error.</summary>
    public static Topology Parse(string json, string source = "topology")
    {
        Topology? topology;
        try
        {
            topology = JsonSerializer.Deserialize<Topology>(json, _options);
        }
        catch (JsonException exception)
        {
            string reason = exception.Message.ReplaceLineEndings(" ");
            throw new LabException($"{source}: not a topology: {reason}", exception);
        }

        if (topology is null)
        {
            throw new LabException($"{source}: not a topology: the file says null.");
        }

        if (TopologyCheck.FirstError(topology) is { } error)
        {
            throw new LabException($"{source}: {error}");
        }

        return topology;
    }

    private static bool LooksLikeFile(string text) =>
        text.Contains('/', StringComparison.Ordinal) || text.EndsWith(".json", StringComparison.Ordinal);
}
