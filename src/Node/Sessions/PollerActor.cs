using NftCluster.Actors;
using NftCluster.Node.Kernel;

namespace NftCluster.Node.Sessions;

/// <summary>What the poller is told.</summary>
internal abstract record PollerMessage;

/// <summary>Order: batches go to this shard, too, from now on.</summary>
internal sealed record Subscribe(int Bit, ActorRef<ShardMessage> Shard) : PollerMessage;

/// <summary>Order: read the ring empty once more, then leave the shard out and tell the node.</summary>
internal sealed record Unsubscribe(int Bit) : PollerMessage;

/// <summary>Fact, from the polling thread: it threw.</summary>
internal sealed record PollingFailed(Exception Error) : PollerMessage;

/// <summary>Owns the thread that reads the ring. A failure of the thread is a failure of this actor: restarted with back-off.</summary>
internal sealed class PollerActor(RingBufferReader ring, BatchPool pool, ActorRef<NodeMessage> node, PollerSubscribers subscribers) : Actor<PollerMessage>
{
    private RingPoller? _poller;

    protected override ValueTask PreStartAsync()
    {
        _poller = new RingPoller(ring, pool, node, subscribers.Snapshot, failure => Context.Self.Tell(new PollingFailed(failure)));
        foreach (int bit in subscribers.Leaving)
        {
            _poller.Post(new Unsubscribe(bit)); // ordered from the thread that failed; the node takes a second answer for the first
        }
        _poller.Start();
        return default;
    }

    protected override ValueTask ReceiveAsync(PollerMessage message)
    {
        switch (message)
        {
            case Subscribe subscribe:
                subscribers.Add(subscribe);
                _poller!.Post(subscribe);
                break;
            case Unsubscribe unsubscribe:
                subscribers.Leave(unsubscribe.Bit);
                _poller!.Post(unsubscribe);
                break;
            case PollingFailed failed:
                throw new KernelException($"reading the ring failed: {failed.Error.Message}");
        }
        return default;
    }

    protected override ValueTask PostStopAsync()
    {
        _poller?.Stop();
        return default;
    }
}

/// <summary>Who gets batches: outlives a restart of the poller.</summary>
internal sealed class PollerSubscribers
{
    private readonly Dictionary<int, Subscribe> _byBit = [];

    private readonly HashSet<int> _leaving = [];

    public IReadOnlyList<Subscribe> Snapshot => [.. _byBit.Values];

    /// <summary>Ordered to go; the node may not have been told yet.</summary>
    public IReadOnlyCollection<int> Leaving => _leaving;

    public void Add(Subscribe subscriber)
    {
        _leaving.Remove(subscriber.Bit);
        _byBit[subscriber.Bit] = subscriber;
    }

    public void Leave(int bit)
    {
        if (_byBit.Remove(bit))
        {
            _leaving.Add(bit);
        }
    }
}
