using System.Text.Json.Serialization;

namespace NftCluster.Cli.Client;

/// <summary>One controller as this user knows it.</summary>
internal sealed record ClientContext
{
    /// <summary>https://HOST:PORT, without a path.</summary>
    public required string Url { get; init; }

    /// <summary>SHA-256 of the controller's web certificate, hex; null = a certificate that this system trusts is asked for.</summary>
    public string? Fingerprint { get; init; }

    public string? Username { get; init; }

    public string? AccessToken { get; init; }

    public string? RefreshToken { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }
}

/// <summary>The file of contexts.</summary>
internal sealed record ClientContexts
{
    public string? Current { get; init; }

    public IReadOnlyDictionary<string, ClientContext> Contexts { get; init; } = new Dictionary<string, ClientContext>(StringComparer.Ordinal);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ClientContexts))]
internal sealed partial class ClientJson : JsonSerializerContext;
