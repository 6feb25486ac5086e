using NftCluster.Actors;
using NftCluster.Controller.Sessions;
using NftCluster.Controller.Storage;
using NftCluster.Messages.Link;

namespace NftCluster.Controller.Cluster;

/// <summary>What one node's <c>NodeLinkActor</c> receives: its connection's facts and the cluster's orders.</summary>
internal abstract record NodeLinkMessage;

/// <summary>Any frame but Hello and Data.</summary>
internal sealed record FrameReceived(NodeFrame Frame, long ReceivedNs) : NodeLinkMessage;

/// <summary>These are durable now: to be acknowledged.</summary>
internal sealed record FramesStored(IReadOnlyList<IngestFrame> Frames, FramesCommitted Outcome) : NodeLinkMessage;

/// <summary>Nothing of it is durable; it will be tried again.</summary>
internal sealed record StorageRefused(string Error) : NodeLinkMessage;

internal sealed record SendDesired(Desired Desired) : NodeLinkMessage;

internal sealed record ForwardRequest(Request Request, ActorRef<Result<Reply>> ReplyTo) : NodeLinkMessage;

/// <summary>The connection ends with this word.</summary>
internal sealed record EndLink(Refusal Refusal) : NodeLinkMessage;

internal sealed record LinkBroken : NodeLinkMessage;

internal sealed record LinkTick : NodeLinkMessage;

/// <summary>The registry knows something new of it (renewed, renamed, its desired set).</summary>
internal sealed record DescribeNode(Func<NodeView, NodeView> Change) : NodeLinkMessage;
