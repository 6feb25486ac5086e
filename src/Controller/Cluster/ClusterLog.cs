using Microsoft.Extensions.Logging;

namespace NftCluster.Controller.Cluster;

/// <summary>Ids 6000–6099. Secrets never come here.</summary>
internal static partial class ClusterLog
{
    [LoggerMessage(6000, LogLevel.Information, "node {Name} ({NodeId}) joined")]
    public static partial void NodeJoined(ILogger logger, string name, string nodeId);

    [LoggerMessage(6050, LogLevel.Error, "{Method} {Path} failed")]
    public static partial void RequestFailed(ILogger logger, string method, string path, Exception failure);

    [LoggerMessage(6051, LogLevel.Error, "{Who}: {Method} {Route} could not be written to the audit log: {Reason}")]
    public static partial void NotAudited(ILogger logger, string who, string method, string route, string reason);

    [LoggerMessage(6001, LogLevel.Warning, "a node called '{Name}' may not join: {Reason}")]
    public static partial void JoinRefused(ILogger logger, string name, string reason);

    [LoggerMessage(6002, LogLevel.Information, "node {Name} ({NodeId}) connected from {Address}")]
    public static partial void NodeConnected(ILogger logger, string name, string nodeId, string address);

    [LoggerMessage(6003, LogLevel.Warning, "node {NodeId} from {Address} is refused: {Reason}")]
    public static partial void NodeRefused(ILogger logger, string nodeId, string address, string reason);

    [LoggerMessage(6004, LogLevel.Information, "the link of node {NodeId} from {Address} ended: {Reason}")]
    public static partial void LinkEnded(ILogger logger, string nodeId, string address, string reason);

    [LoggerMessage(6005, LogLevel.Warning, "node {NodeId} from {Address} sent what is no frame: {Reason}")]
    public static partial void FrameRefused(ILogger logger, string nodeId, string address, string reason);

    [LoggerMessage(6006, LogLevel.Information, "node {NodeId} is {State}")]
    public static partial void NodeState(ILogger logger, string nodeId, string state);

    [LoggerMessage(6007, LogLevel.Warning, "node {NodeId} was revoked by {By}")]
    public static partial void NodeRevoked(ILogger logger, string nodeId, string by);

    [LoggerMessage(6008, LogLevel.Warning, "node {NodeId}: {Problem}")]
    public static partial void NodeProblem(ILogger logger, string nodeId, string problem);

    [LoggerMessage(6010, LogLevel.Information, "session {SessionId}: {What}")]
    public static partial void Session(ILogger logger, string sessionId, string what);

    [LoggerMessage(6020, LogLevel.Error, "{Path} failed ({Decision}): {Error}")]
    public static partial void ActorFailed(ILogger logger, string path, string decision, string error);
}
