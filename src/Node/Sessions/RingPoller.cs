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

    /// <summary>While packets flow without a pause the shards must still learn the time, to close what has ended.</summary>
    private const ulong NoticeEveryNs = 100_000_000;

    /// <summary>A program that ran when its session was told to be quiet may write a last event: programs run for microseconds.</summary>
    private const ulong GraceNs = 1_000_000;

    private readonly Channel<PollerMessage> _orders = Channel.CreateUnbounded<PollerMessage>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Dictionary<int, Subscribe> _subscribers = subscribers.ToDictionary(s => s.Bit);
    private readonly List<Leaving> _leaving = [];
    private readonly DrainNotice _drained = new();
    private (ulong Position, ulong NowNs)? _mark;
    private ulong _noticedNs;
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
            bool read = Drain();
            wait = read ? ShortestWaitMs : Math.Min(wait * 2, LongestWaitMs);
            if (!read)
            {
                TellDrained(Now());
            }
            BetweenReads();
            ring.Wait(wait);
        }
    }

    /// <summary>After each batch, not only when the ring is empty: under steady traffic it may not be for seconds.</summary>
    private void BetweenReads()
    {
        TakeOrders();
        LetGo();
        TellTime();
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
                    _leaving.Add(new Leaving(unsubscribe.Bit, Now() + GraceNs));
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
            BetweenReads();
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

    /// <summary>A mark is a time and where the ring's writers were then: once read so far, nothing older will come.</summary>
    private void TellTime()
    {
        ulong now = Now();
        if (_mark is null && now - _noticedNs >= NoticeEveryNs)
        {
            _mark = (ring.Produced, now);
        }
        if (_mark is { } mark && ring.Consumed >= mark.Position)
        {
            TellDrained(mark.NowNs);
        }
    }

    private void TellDrained(ulong nowNs)
    {
        if (!_drained.IsHome)
        {
            return;
        }
        _mark = null;
        _noticedNs = nowNs;
        RingDrained message = new(_drained.HandTo(_subscribers.Count, nowNs));
        foreach (Subscribe subscriber in _subscribers.Values)
        {
            if (!subscriber.Shard.Tell(message))
            {
                _drained.Release();
            }
        }
    }

    /// <summary>CLOCK_MONOTONIC, the clock of the events; no system call (vDSO), and asked per batch.</summary>
    private static unsafe ulong Now()
    {
        timespec now;
        _ = Libc.clock_gettime(Libc.CLOCK_MONOTONIC, &now);
        return (ulong)now.Nanoseconds;
    }

    private void LetGo()
    {
        for (int i = _leaving.Count - 1; i >= 0; i--)
        {
            Leaving leaving = _leaving[i];
            if (leaving.After is null && Now() >= leaving.SettledNs)
            {
                _leaving[i] = leaving = leaving with { After = ring.Produced };
            }
            if (leaving.After is { } after && ring.Consumed >= after)
            {
                _leaving.RemoveAt(i);
                _subscribers.Remove(leaving.Bit);
                node.Tell(new EventsHandedOver(leaving.Bit));
            }
        }
    }

    /// <summary>The last event of the session lies before <paramref name="After"/> in the ring, taken once its programs have settled.</summary>
    private sealed record Leaving(int Bit, ulong SettledNs, ulong? After = null);
}
