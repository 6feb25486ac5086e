using System.Text.Json.Serialization;
using NftCluster.Controller.Sessions;

namespace NftCluster.Controller.Cluster;

/// <summary>The events of the cluster and its sessions, as the journal keeps them.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RegistryEvent))]
[JsonSerializable(typeof(SessionEvent))]
internal sealed partial class ClusterJson : JsonSerializerContext;
