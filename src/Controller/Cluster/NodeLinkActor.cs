using Microsoft.Extensions.Logging;
using NftCluster.Actors;
using NftCluster.Controller.Sessions;
using NftCluster.Controller.Storage;
using NftCluster.Messages.Link;

namespace NftCluster.Controller.Cluster;

/// <summary>What the cluster gives a node's connection when it lets it in.</summary>
internal sealed record LinkPlace(NodeView Node, Welcome Welcome, NodeWire Wire, ActorRef<ClusterMessage> Cluster, ClusterListeners Listeners, LinkOptions Options, ILogger Logger);

/// <summary>The controller's half of one connection: welcomes, acknowledges what is durable, echoes heartbeats, carries orders and answers.</summary>
internal sealed class NodeLinkActor(LinkPlace place) : Actor<NodeLinkMessage>
{
    private const int MostOpenRequests = 64;

    private readonly ClockEstimate _clock = new();
    private readonly Dictionary<ulong, ActorRef<Result<Reply>>> _asked = [];
    private NodeView _node = place.Node;
    private string? _standing = place.Node.Problem;
    private long _lastHeard;
    private ulong _lastRequest;
    private (ulong Number, long ReceivedNs, long SentNs, long HeartbeatSentNs) _echo;

    protected override ValueTask PreStartAsync()
    {
        _lastHeard = Context.Time.GetTimestamp();
        Send(new ControllerFrame { Welcome = place.Welcome });
        Timers.StartPeriodic(nameof(LinkTick), new LinkTick(), place.Options.Heartbeat);
        return TellAsync(_node with { State = NodeView.Connected, ConnectedSince = Context.Time.GetUtcNow(), LastSeen = Context.Time.GetUtcNow(), Problem = place.Node.Problem });
    }

    protected override async ValueTask ReceiveAsync(NodeLinkMessage message)
    {
        switch (message)
        {
            case FrameReceived { Frame: var frame, ReceivedNs: var at }:
                await HearAsync(frame, at);
                break;
            case FramesStored stored:
                await AcknowledgeAsync(stored);
                break;
            case StorageRefused { Error: var error }:
                await TellAsync(_node with { Problem = $"nothing is stored now, the node keeps it: {error}" });
                break;
            case SendDesired { Desired: var desired }:
                Send(new ControllerFrame { Desired = desired });
                await TellAsync(_node with { DesiredGeneration = desired.Generation });
                break;
            case ForwardRequest forward:
                Forward(forward);
                break;
            case DescribeNode { Change: var change }:
                await TellAsync(change(_node));
                break;
            case EndLink { Refusal: var refusal }:
                place.Wire.End(refusal);
                Context.StopSelf();
                break;
            case LinkTick:
                await LookAsync();
                break;
            case LinkBroken:
                Context.StopSelf();
                break;
        }
    }

    protected override ValueTask PostStopAsync()
    {
        place.Wire.End(null);
        foreach (ActorRef<Result<Reply>> asker in _asked.Values)
        {
            asker.Tell(new CommandError(CommandError.Unavailable, null, $"node {_node.Name} went away before it answered: ask again once it is connected"));
        }
        return default;
    }

    private async ValueTask HearAsync(NodeFrame frame, long receivedNs)
    {
        _lastHeard = Context.Time.GetTimestamp();
        switch (frame.FrameCase)
        {
            case NodeFrame.FrameOneofCase.Heartbeat:
                await BeatAsync(frame.Heartbeat, receivedNs);
                break;
            case NodeFrame.FrameOneofCase.Observed:
                // It follows this database: whatever was said about another one is over.
                _standing = frame.Observed.ControllerIncarnation.Equals(place.Welcome.ControllerIncarnation) ? null : _standing;
                await TellAsync(_node with { ObservedGeneration = frame.Observed.Generation, Problem = _standing });
                await place.Cluster.TellAsync(new NodeObserved(_node.Id, frame.Observed));
                break;
            case NodeFrame.FrameOneofCase.Reply when _asked.Remove(frame.Reply.Id, out ActorRef<Result<Reply>>? asker):
                asker.Tell(frame.Reply);
                break;
        }
    }

    private ValueTask BeatAsync(Heartbeat beat, long receivedNs)
    {
        if (beat.EchoedNumber != 0 && beat.EchoedNumber == _echo.Number)
        {
            _clock.Add(_echo.HeartbeatSentNs, _echo.ReceivedNs, _echo.SentNs, beat.EchoReceivedNs);
        }
        long nowNs = NodeConnection.UnixNs(Context.Time.GetUtcNow());
        _echo = (beat.Number, receivedNs, nowNs, beat.SentNs);
        Send(new ControllerFrame { HeartbeatEcho = new HeartbeatEcho { Number = beat.Number, HeartbeatReceivedNs = receivedNs, SentNs = nowNs } });
        return TellAsync(_node with
        {
            State = NodeView.Connected,
            LastSeen = Context.Time.GetUtcNow(),
            ClockOffsetNs = _clock.OffsetNs,
            ClockBoundNs = _clock.BoundNs,
            Load = NodeLoad.Of(beat.Load),
            Spool = NodeSpool.Of(beat.Spool),
            Counters = new Dictionary<string, ulong>(beat.Counters, StringComparer.Ordinal),
        });
    }

    private async ValueTask AcknowledgeAsync(FramesStored stored)
    {
        foreach (CommittedUpTo upTo in stored.Outcome.Committed)
        {
            if (upTo.NodeId == _node.Id)
            {
                Send(new ControllerFrame { Ack = new Ack { Epoch = upTo.Epoch, Sequence = upTo.Sequence, CreditBytes = (ulong)place.Options.CreditBytes } });
            }
        }
        foreach (IngestFrame frame in stored.Frames)
        {
            if (frame.Payload.KindCase == Payload.KindOneofCase.Report)
            {
                await place.Cluster.TellAsync(new NodeReported(_node.Id, frame.Payload.Report));
            }
            place.Listeners.Stored?.Invoke(_node.Id, _node.Name, frame.Payload);
        }
        if (stored.Outcome.Conflicts is [var conflict, ..])
        {
            string text = $"frame {conflict.Epoch:x}/{conflict.Sequence} was stored before with other content";
            ClusterLog.NodeRefused(place.Logger, _node.Id, _node.RemoteAddress ?? "", text);
            place.Wire.End(new Refusal { Reason = Refusal.Types.Reason.Conflict, Text = text });
            Context.StopSelf();
        }
        else if (_node.Problem != _standing)
        {
            await TellAsync(_node with { Problem = _standing });
        }
    }

    private void Forward(ForwardRequest forward)
    {
        if (_asked.Count >= MostOpenRequests)
        {
            forward.ReplyTo.Tell(new CommandError(CommandError.Unavailable, null, $"node {_node.Name} has {MostOpenRequests} requests to answer already: try later"));
            return;
        }
        Request request = forward.Request.Clone();
        request.Id = ++_lastRequest;
        _asked[request.Id] = forward.ReplyTo;
        Send(new ControllerFrame { Request = request });
    }

    private ValueTask LookAsync()
    {
        TimeSpan silence = Context.Time.GetElapsedTime(_lastHeard);
        if (silence >= place.Options.GoneAfter)
        {
            ClusterLog.LinkEnded(place.Logger, _node.Id, _node.RemoteAddress ?? "", $"nothing heard for {silence.TotalSeconds:0} s");
            place.Wire.End(null);
            Context.StopSelf();
            return default;
        }
        return silence >= place.Options.StaleAfter && _node.State == NodeView.Connected ? TellAsync(_node with { State = NodeView.Stale }) : default;
    }

    private void Send(ControllerFrame frame)
    {
        if (!place.Wire.Send(frame))
        {
            ClusterLog.LinkEnded(place.Logger, _node.Id, _node.RemoteAddress ?? "", "the node does not read what it is sent");
            Context.StopSelf();
        }
    }

    /// <summary>The cluster waits for room in nobody's mailbox, so this cannot wait for long.</summary>
    private async ValueTask TellAsync(NodeView now)
    {
        _node = now;
        await place.Cluster.TellAsync(new NodeIsNow(now, Context.Self));
    }
}
