using System.Text.Json.Serialization;

namespace NftCluster.Controller.Cluster;

/// <summary>What is remembered of the cluster, its nodes, tokens and sessions: appended to the journal, replayed at the start.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(ClusterFounded), "founded")]
[JsonDerivedType(typeof(SessionAdded), "session-added")]
[JsonDerivedType(typeof(SessionRemoved), "session-removed")]
[JsonDerivedType(typeof(TokenCreated), "token-created")]
[JsonDerivedType(typeof(NodeJoined), "node-joined")]
[JsonDerivedType(typeof(CertificateRenewed), "certificate-renewed")]
[JsonDerivedType(typeof(NodeDescribed), "node-described")]
[JsonDerivedType(typeof(NodeRevoked), "node-revoked")]
internal abstract record RegistryEvent(DateTimeOffset At);

internal sealed record TokenCreated(DateTimeOffset At, string SecretHash, DateTimeOffset ExpiresAt, int Uses, string By) : RegistryEvent(At);

/// <summary>Also that one use of the token is spent.</summary>
internal sealed record NodeJoined(DateTimeOffset At, string NodeId, string Name, IReadOnlyDictionary<string, string> Labels, string KeyHash, string SecretHash, string CertificatePem, DateTimeOffset CertificateEnds) : RegistryEvent(At);

internal sealed record CertificateRenewed(DateTimeOffset At, string NodeId, string KeyHash, DateTimeOffset CertificateEnds) : RegistryEvent(At);

/// <summary>Name or labels are others than before: the node says them in its Hello.</summary>
internal sealed record NodeDescribed(DateTimeOffset At, string NodeId, string Name, IReadOnlyDictionary<string, string> Labels) : RegistryEvent(At);

internal sealed record NodeRevoked(DateTimeOffset At, string NodeId, string By) : RegistryEvent(At);

/// <summary>The first event of a database: whom nodes obey is this one.</summary>
internal sealed record ClusterFounded(DateTimeOffset At, string Incarnation) : RegistryEvent(At);

internal sealed record SessionAdded(DateTimeOffset At, string SessionId) : RegistryEvent(At);

/// <summary>With the version of its stream, so that generations never go back.</summary>
internal sealed record SessionRemoved(DateTimeOffset At, string SessionId, long Version) : RegistryEvent(At);
