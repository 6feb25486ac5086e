using System.Threading.Channels;
using NftCluster.Actors;
using NftCluster.Node.Kernel;
using NftCluster.Node.Kernel.Native;

namespace NftCluster.Node.Sessions;

/// <summary>
/// The dedicated thread that waits in the kernel, copies records out of the ring and hands them over; it does nothing else.
/// It never drops: when every batch is in use it waits, the ring fills, and the kernel half counts what it cannot write.
/// </summary>
internal sealed class RingPoller(RingBufferReader ring, BatchPool pool, ActorRef<NodeMessage> node, IReadOnlyList<Subscribe> subscribers, Action<Exception> onFailure)
{
    /// <summary>Polling costs nothing beside a wake-up per event (docs/decisions/0003): short while packets flow, long when idle.</summary>
    private const int ShortestWaitMs = 1;
    private const int LongestWaitMs = 16;

    private readonly Channel<PollerMessage> _orders = Channel.CreateUnbounded<PollerMessage>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Dictionary<int, Subscribe> _subscribers = subscribers.ToDictionary(s => s.Bit);
    private readonly List<int> _leaving = [];
    private readonly DrainNotice _drained = new();
    private volatile bool _stopping;
    private Thread? _thread;

    public void Start()
    {
        _thread = new Thread(Run) { IsBackground = true, Name = "nftcluster ring" };
        _thread.Start();
    }

    public void Post(PollerMessage order) => _orders.Writer.TryWrite(order);

    public void Stop()
    {
        _stopping = true;
        _thread?.Join();
    }

    private void Run()
    {
        try
        {
            Poll();
        }
        catch (Exception failure)
        {
            // The thread's outer edge: its actor decides.
            onFailure(failure);
        }
    }

    private void Poll()
    {
        int wait = ShortestWaitMs;
        while (!_stopping)
        {
            TakeOrders();
            bool read = Drain();
            wait = read ? ShortestWaitMs : Math.Min(wait * 2, LongestWaitMs);
            if (!read)
            {
                TellDrained();
                LetGo();
            }
            ring.Wait(wait);
        }
    }

    private void TakeOrders()
    {
        while (_orders.Reader.TryRead(out PollerMessage? order))
        {
            switch (order)
            {
                case Subscribe subscribe:
                    _subscribers[subscribe.Bit] = subscribe;
                    node.Tell(new SessionReady(subscribe.Bit));
                    break;
                case Unsubscribe unsubscribe:
                    _leaving.Add(unsubscribe.Bit);
                    break;
            }
        }
    }

    /// <summary>Hands over all that is in the ring; false when nothing was.</summary>
    private bool Drain()
    {
        bool any = false;
        while (!_stopping)
        {
            EventBatch? batch = pool.Take(ShortestWaitMs);
            if (batch is null)
            {
                return true; // all are in use: the shards are behind, the ring holds the rest
            }
            if (ring.Read(batch) == 0)
            {
                pool.Return(batch);
                return any;
            }
            any = true;
            HandOver(batch);
        }
        return any;
    }

    private void HandOver(EventBatch batch)
    {
        batch.HandTo(_subscribers.Count + 1);
        EventsRead message = new(batch);
        foreach (Subscribe subscriber in _subscribers.Values)
        {
            if (!subscriber.Shard.Tell(message))
            {
                batch.Release(); // its shard has stopped; were its mailbox full, the session's report would say batch-lane-full
            }
        }
        batch.Release();
    }

    private void TellDrained()
    {
        if (!_drained.IsHome)
        {
            return;
        }
        timespec now;
        unsafe
        {
            _ = Libc.clock_gettime(Libc.CLOCK_MONOTONIC, &now);
        }
        RingDrained message = new(_drained.HandTo(_subscribers.Count, (ulong)now.Nanoseconds));
        foreach (Subscribe subscriber in _subscribers.Values)
        {
            if (!subscriber.Shard.Tell(message))
            {
                _drained.Release();
            }
        }
    }

    private void LetGo()
    {
        foreach (int bit in _leaving)
        {
            _subscribers.Remove(bit);
            node.Tell(new EventsHandedOver(bit));
        }
        _leaving.Clear();
    }
}
