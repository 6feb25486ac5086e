using NftCluster.Actors;
using NftCluster.Messages;
using NftCluster.Messages.Link;

namespace NftCluster.Node.Spool;

/// <summary>What the actor that owns the spool is told.</summary>
internal abstract record SpoolMessage;

/// <summary>Closed traces of a session; with them what its lane had to refuse before.</summary>
internal sealed record SpoolTraces(string Session, TraceRecord[] Traces, Loss? Refused) : SpoolMessage;

/// <summary>Losses of a session (empty id = of all): in sequence with its traces.</summary>
internal sealed record SpoolLosses(string Session, IReadOnlyList<Loss> Losses) : SpoolMessage;

/// <summary>A session's numbers; a later one takes the place of this as long as it has no number.</summary>
internal sealed record SpoolReport(SessionReport Report) : SpoolMessage;

/// <summary>To be there after a kill -9, written together with all that was told before.</summary>
internal sealed record KeepFact(string Name, byte[] Value) : SpoolMessage;

/// <summary>Order to itself: what has gathered goes to disk.</summary>
internal sealed record FlushSpool : SpoolMessage;

internal sealed record PruneSpool : SpoolMessage;

/// <summary>Asks for the next frames after this one.</summary>
internal sealed record TakeFrames(long AfterId, long MostBytes, ActorRef<FramesTaken> ReplyTo) : SpoolMessage;

internal sealed record FramesTaken(IReadOnlyList<SpoolFrame> Frames);

/// <summary>Fact: up to these the controller has them durably.</summary>
internal sealed record FramesCommitted(IReadOnlyList<(ulong Epoch, ulong Sequence)> UpTo) : SpoolMessage;

/// <summary>Order: new numbers for everything, in a new epoch. Answers with it.</summary>
internal sealed record RenumberFrames(ActorRef<ulong> ReplyTo) : SpoolMessage;

internal sealed record GetSpoolLevel(ActorRef<SpoolLevelNow> ReplyTo) : SpoolMessage;

/// <summary>Order: tell whoever sends when there is something new.</summary>
internal sealed record NotifyGrowth(Action Grown) : SpoolMessage;

/// <summary>Asks for the bounded way that sessions' outputs take.</summary>
internal sealed record GetSpoolLane(ActorRef<SpoolLane> ReplyTo) : SpoolMessage;
