using System.Text.Json.Serialization;

namespace NftCluster.Messages.Link;

/// <summary>POST /join. The same (secret, key) is answered the same: a node whose answer got lost asks again.</summary>
public sealed record JoinRequest
{
    public required string Secret { get; init; }

    public required string Name { get; init; }

    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>PKCS#10, PEM. Of its content only the key counts.</summary>
    public required string CsrPem { get; init; }

    /// <summary>SHA-256 of the key's SubjectPublicKeyInfo, lower-case hex.</summary>
    public required string KeyId { get; init; }
}

/// <summary>The answer to POST /join and POST /renew.</summary>
public sealed record JoinAnswer
{
    public required string NodeId { get; init; }

    public required string CertificatePem { get; init; }

    /// <summary>All CAs that the node is to trust from now on: two while one takes over from another.</summary>
    public required string CaPem { get; init; }

    public required DateTimeOffset RenewAfter { get; init; }
}

/// <summary>POST /renew, with the certificate that ends.</summary>
public sealed record RenewRequest
{
    public required string CsrPem { get; init; }
}

/// <summary>What a node reads of problem+json.</summary>
public sealed record JoinProblem
{
    public string? Title { get; init; }

    public string? Detail { get; init; }
}

/// <summary>JSON of joining: snake_case.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(JoinRequest))]
[JsonSerializable(typeof(JoinAnswer))]
[JsonSerializable(typeof(RenewRequest))]
[JsonSerializable(typeof(JoinProblem))]
public sealed partial class JoinJson : JsonSerializerContext;
