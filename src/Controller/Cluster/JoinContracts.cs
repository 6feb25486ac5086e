using System.Text.Json;
using System.Text.Json.Serialization;

namespace NftCluster.Controller.Cluster;

/// <summary>POST /join.</summary>
internal sealed record JoinRequest
{
    public required string Secret { get; init; }

    public required string Name { get; init; }

    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    public required string CsrPem { get; init; }

    /// <summary>The node's own name for its key; what counts is the key in the request.</summary>
    public string? KeyId { get; init; }
}

/// <summary>POST /renew; the node is whose certificate the connection shows.</summary>
internal sealed record RenewRequest
{
    public required string CsrPem { get; init; }
}

internal sealed record JoinAnswer
{
    public required string NodeId { get; init; }

    public required string CertificatePem { get; init; }

    /// <summary>Every CA that is trusted now: while one is replaced there are two.</summary>
    public required string CaPem { get; init; }

    public required DateTimeOffset RenewAfter { get; init; }
}

/// <summary>problem+json, as the API's.</summary>
internal sealed record JoinProblem(string Title, int Status, string Detail, string? Field);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, MaxDepth = 8)]
[JsonSerializable(typeof(JoinRequest))]
[JsonSerializable(typeof(RenewRequest))]
[JsonSerializable(typeof(JoinAnswer))]
[JsonSerializable(typeof(JoinProblem))]
internal sealed partial class JoinJson : JsonSerializerContext
{
    public static JsonSerializerOptions Web => Default.Options;
}
