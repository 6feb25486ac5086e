using System.Text.Json.Serialization;

namespace NftCluster.Controller.Sessions;

/// <summary>What happened to a session, appended to its journal: the session is what they add up to.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(SessionCreated), "created")]
[JsonDerivedType(typeof(SessionChanged), "changed")]
[JsonDerivedType(typeof(SessionPaused), "paused")]
[JsonDerivedType(typeof(SessionResumed), "resumed")]
[JsonDerivedType(typeof(SessionRunning), "running")]
[JsonDerivedType(typeof(SessionStopping), "stopping")]
[JsonDerivedType(typeof(SessionStopped), "stopped")]
[JsonDerivedType(typeof(SessionFailed), "failed")]
internal abstract record SessionEvent(DateTimeOffset At);

internal sealed record SessionCreated(DateTimeOffset At, string Id, string Owner, SessionRequest Request) : SessionEvent(At);

internal sealed record SessionChanged(DateTimeOffset At, SessionPatch Patch) : SessionEvent(At);

internal sealed record SessionPaused(DateTimeOffset At) : SessionEvent(At);

internal sealed record SessionResumed(DateTimeOffset At) : SessionEvent(At);

/// <summary>The first node runs it.</summary>
internal sealed record SessionRunning(DateTimeOffset At) : SessionEvent(At);

internal sealed record SessionStopping(DateTimeOffset At, string Reason) : SessionEvent(At);

/// <summary>With what its nodes had reported by then.</summary>
internal sealed record SessionStopped(DateTimeOffset At, IReadOnlyList<NodeSessionView> Nodes) : SessionEvent(At);

internal sealed record SessionFailed(DateTimeOffset At, string Reason, IReadOnlyList<NodeSessionView> Nodes) : SessionEvent(At);
