using NftCluster.Actors;
using NftCluster.Messages.Link;

namespace NftCluster.Node.Uplink;

/// <summary>What the actor that talks to the controller is told.</summary>
internal abstract record UplinkMessage;

/// <summary>Order to itself: try now.</summary>
internal sealed record Connect : UplinkMessage;

internal sealed record Connected(LinkSocket Socket, int Attempt) : UplinkMessage;

internal sealed record ConnectFailed(string Error, bool IsFinal, int Attempt) : UplinkMessage;

internal sealed record FrameReceived(ControllerFrame Frame, long ReceivedNs, int Attempt) : UplinkMessage;

internal sealed record LinkEnded(string Why, int Attempt) : UplinkMessage;

/// <summary>Fact, from the spool: there is something new to send.</summary>
internal sealed record SpoolGrown : UplinkMessage;

/// <summary>Order to itself: send again what was not taken for lack of room at the controller.</summary>
internal sealed record ResumeSending : UplinkMessage;

internal sealed record BeatNow : UplinkMessage;

/// <summary>Order to itself: look whether the certificate is to be renewed.</summary>
internal sealed record LookAtCertificate : UplinkMessage;

/// <summary>Order, from the agent: what it observes now. Kept, and sent again at each connect.</summary>
internal sealed record TellObserved(Observed Observed) : UplinkMessage;

/// <summary>Order, from the agent: the answer to a request of the controller.</summary>
internal sealed record TellReply(Reply Reply) : UplinkMessage;

/// <summary>Fact, from the agent: load and counters for the next heartbeat.</summary>
internal sealed record VitalsNow(Load Load, IReadOnlyDictionary<string, long> Counters) : UplinkMessage;

internal sealed record GetUplinkStatus(ActorRef<UplinkStatus> ReplyTo) : UplinkMessage;

/// <summary>The last line is why it is not connected.</summary>
internal sealed record UplinkStatus(bool IsConnected, ulong Acknowledged, int UnderWay, string? LastError);
