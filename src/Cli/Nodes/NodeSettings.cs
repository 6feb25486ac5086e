using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace NftCluster.Cli.Nodes;

/// <summary>A node's configuration as it was written, unchecked; null = not said. Later ones override earlier ones.</summary>
internal sealed record NodeSettings
{
    public const string DefaultFile = "/etc/nftcluster/node.json";

    private const string Prefix = "NFTCLUSTER_";

    public string? Controller { get; init; }

    public string? Token { get; init; }

    public string? TokenFile { get; init; }

    public string? Name { get; init; }

    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    public string? Netns { get; init; }

    public string? StateDir { get; init; }

    public long? SpoolMb { get; init; }

    public long? SpoolHours { get; init; }

    public string? Backend { get; init; }

    public long? RingMb { get; init; }

    public bool? AllowChanges { get; init; }

    /// <summary>Throws <see cref="UsageException"/> with one line that names the file and what is wrong in it.</summary>
    public static NodeSettings FromFile(string path)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllText(path), NodeSettingsJson.Default.NodeSettings) ?? new NodeSettings();
        }
        catch (JsonException wrong)
        {
            throw new UsageException($"{path}: {wrong.Message.ReplaceLineEndings(" ")}");
        }
    }

    /// <summary>NFTCLUSTER_CONTROLLER, NFTCLUSTER_STATE_DIR, …; an empty variable says nothing.</summary>
    public static NodeSettings FromEnvironment(Func<string, string?> variable)
    {
        string? Text(string name) => variable(Prefix + name) is { Length: > 0 } text ? text : null;
        long? Number(string name) => Text(name) is not { } text ? null
            : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number
            : throw new UsageException($"{Prefix}{name} '{text}' is no whole number");
        bool? YesOrNo(string name) => Text(name) switch
        {
            null => null,
            "true" or "1" => true,
            "false" or "0" => false,
            var other => throw new UsageException($"{Prefix}{name} '{other}' is neither true nor false"),
        };
        return new NodeSettings
        {
            Controller = Text("CONTROLLER"),
            Token = Text("TOKEN"),
            TokenFile = Text("TOKEN_FILE"),
            Name = Text("NAME"),
            Labels = Text("LABELS") is { } labels ? LabelsOf(labels.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries), $"{Prefix}LABELS") : null,
            Netns = Text("NETNS"),
            StateDir = Text("STATE_DIR"),
            SpoolMb = Number("SPOOL_MB"),
            SpoolHours = Number("SPOOL_HOURS"),
            Backend = Text("BACKEND"),
            RingMb = Number("RING_MB"),
            AllowChanges = YesOrNo("ALLOW_CHANGES"),
        };
    }

    public static Dictionary<string, string> LabelsOf(IEnumerable<string> pairs, string where)
    {
        Dictionary<string, string> labels = new(StringComparer.Ordinal);
        foreach (string pair in pairs)
        {
            int at = pair.IndexOf('=', StringComparison.Ordinal);
            if (at <= 0 || pair.Length > 128)
            {
                throw new UsageException($"{where} '{pair}' is no label: give NAME=VALUE, such as site=berlin, at most 128 characters");
            }
            labels[pair[..at]] = pair[(at + 1)..];
        }
        return labels;
    }

    public NodeSettings OverriddenBy(NodeSettings later) => new()
    {
        Controller = later.Controller ?? Controller,
        Token = later.Token ?? (later.TokenFile is null ? Token : null),
        TokenFile = later.TokenFile ?? (later.Token is null ? TokenFile : null),
        Name = later.Name ?? Name,
        Labels = later.Labels ?? Labels,
        Netns = later.Netns ?? Netns,
        StateDir = later.StateDir ?? StateDir,
        SpoolMb = later.SpoolMb ?? SpoolMb,
        SpoolHours = later.SpoolHours ?? SpoolHours,
        Backend = later.Backend ?? Backend,
        RingMb = later.RingMb ?? RingMb,
        AllowChanges = later.AllowChanges ?? AllowChanges,
    };
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, ReadCommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(NodeSettings))]
internal sealed partial class NodeSettingsJson : JsonSerializerContext;
