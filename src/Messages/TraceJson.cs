using System.Text.Json.Serialization;

namespace NftCluster.Messages;

/// <summary>The one JSON shape of traces: snake_case names, nulls written (an unknown is said, not left out).</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ExportRecord))]
[JsonSerializable(typeof(TraceRecord))]
[JsonSerializable(typeof(SessionRecord))]
[JsonSerializable(typeof(StatisticsRecord))]
public sealed partial class TraceJson : JsonSerializerContext;
