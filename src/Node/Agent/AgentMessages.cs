using NftCluster.Actors;
using NftCluster.Messages.Link;
using NftCluster.Node.Uplink;

namespace NftCluster.Node.Agent;

/// <summary>What the actor that runs the desired set of sessions is told.</summary>
internal abstract record AgentMessage;

/// <summary>Fact: this is how the controller is reached. Told once, before anything else.</summary>
internal sealed record MeetUplink(ActorRef<UplinkMessage> Uplink) : AgentMessage;

/// <summary>Order: begin what was running when this node last ran.</summary>
internal sealed record ResumeSessions : AgentMessage;

internal sealed record DesiredReceived(Desired Desired) : AgentMessage;

internal sealed record RequestReceived(Request Request) : AgentMessage;

/// <summary>Order to itself: look at the sessions.</summary>
internal sealed record LookAtSessions : AgentMessage;

/// <summary>Order: end every session in order, with what they have in the spool. They are resumed at the next start.</summary>
internal sealed record EndSessions(ActorRef<SessionsEnded> ReplyTo) : AgentMessage;

internal sealed record SessionsEnded;
