using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;

namespace NftCluster.Actors;

/// <summary>
/// One actor at run time: its mailbox and the loop that empties it. The flow:
/// 1. a teller queues and schedules a turn, unless one is scheduled;
/// 2. the turn empties the system lane before each message, and handles up to <see cref="Throughput"/> messages;
/// 3. it goes idle and looks once more. Nothing but turns touches the plain fields, and turns never overlap.
/// </summary>
internal sealed partial class ActorCell<TMessage> : ActorRef<TMessage>, IThreadPoolWorkItem
{
    /// <summary>Long enough to spread the cost of scheduling, short enough that a flooded actor lets others have the thread.</summary>
    private const int Throughput = 128;

    private const int Idle = 0;
    private const int Busy = 1;

    private readonly Channel<TMessage> _messages;
    private readonly ConcurrentQueue<SystemMessage> _system = new();
    private readonly bool _waitsForRoom;
    private int _turn = Idle;
    private long _dropped;
    private volatile bool _closed;

    private Queue<(long Due, Notice<TMessage> Notice)>? _notices;
    private long _taken;
    private bool _draining;

    internal ActorCell(ActorSystem system, ActorRef? parent, string path, Func<Actor<TMessage>> factory, Mailbox mailbox)
        : base(system, path)
    {
        _parent = parent;
        _factory = factory;
        _context = new ActorContext<TMessage>(this);
        _waitsForRoom = mailbox.Overflow == Overflow.Wait;
        _messages = Channel.CreateBounded<TMessage>(new BoundedChannelOptions(mailbox.Capacity) { SingleReader = true });
    }

    public override long Dropped => Interlocked.Read(ref _dropped);

    public override bool Tell(TMessage message)
    {
        if (!_messages.Writer.TryWrite(message))
        {
            return Refuse(message);
        }

        Schedule();
        return true;
    }

    public override ValueTask<bool> TellAsync(TMessage message, CancellationToken cancellationToken = default)
    {
        if (_messages.Writer.TryWrite(message))
        {
            Schedule();
            return new(true);
        }

        return _waitsForRoom && !_closed ? TellWhenRoomAsync(message, cancellationToken) : new(Refuse(message));
    }

    public override void StopWhenDrained()
    {
        Close();
        SendSystem(new SystemMessage(SystemKind.Drain));
    }

    public override Task FenceAsync()
    {
        FenceNotice<TMessage> fence = new();
        SendSystem(new SystemMessage(SystemKind.Notice, Notice: fence));
        return fence.Reached;
    }

    /// <summary>The thread pool calls this. The turn handles its own errors, and nobody waits for it.</summary>
    void IThreadPoolWorkItem.Execute() => _ = TurnAsync();

    internal override void SendSystem(in SystemMessage message)
    {
        _system.Enqueue(message);
        Schedule();
    }

    private async ValueTask<bool> TellWhenRoomAsync(TMessage message, CancellationToken cancellationToken)
    {
        try
        {
            await _messages.Writer.WriteAsync(message, cancellationToken);
        }
        catch (ChannelClosedException)
        {
            // The actor stopped while the message waited for room.
            return Refuse(message);
        }

        Schedule();
        return true;
    }

    private bool Refuse(TMessage message)
    {
        // The flag is set before the channel is closed: a write that failed because of the closing sees it here.
        if (_closed)
        {
            System.CountDeadLetter(Path, message);
        }
        else
        {
            Interlocked.Increment(ref _dropped);
        }

        return false;
    }

    private void Close()
    {
        _closed = true;
        _messages.Writer.TryComplete();
    }

    private void Schedule()
    {
        // Always the exchange, never a cheap look first: it is the barrier between queueing and asking whether a turn runs.
        if (Interlocked.CompareExchange(ref _turn, Busy, Idle) == Idle)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    private async Task TurnAsync()
    {
        int left = Throughput;
        while (true)
        {
            await HandleSystemLaneAsync();
            if (!_receiving)
            {
                break;
            }

            if (left-- == 0)
            {
                // Still busy: the turn goes to the end of the line.
                ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
                return;
            }

            if (TryTake(out TMessage? message))
            {
                await HandleAsync(message);
            }
            else if (_draining)
            {
                await BeginStopAsync();
            }
            else
            {
                break;
            }
        }

        GoIdle();
    }

    private void GoIdle()
    {
        // Read while it is still ours: after the exchange another turn may run. One that stops or starts receiving is
        // caused by a system message, and who sends that schedules it.
        bool receiving = _receiving;
        Interlocked.Exchange(ref _turn, Idle);
        if (!_system.IsEmpty || (receiving && _messages.Reader.Count > 0))
        {
            Schedule();
        }
    }

    private async ValueTask HandleAsync(TMessage message)
    {
        try
        {
            await _actor!.ReceiveAsync(message);
        }
        catch (Exception error)
        {
            // Whatever the actor throws is its supervisor's to decide.
            Fail(error);
        }
    }

    /// <summary>The next message in order: a notice comes after exactly those that were queued when it came due.</summary>
    private bool TryTake([MaybeNullWhen(false)] out TMessage message)
    {
        while (_notices is not null && _notices.TryPeek(out (long Due, Notice<TMessage> Notice) next) && next.Due <= _taken)
        {
            _notices.Dequeue();
            if (next.Notice.TryTake(out message))
            {
                return true;
            }
        }

        if (!_messages.Reader.TryRead(out message))
        {
            return false;
        }

        _taken++;
        return true;
    }

    private void Queue(Notice<TMessage> notice)
    {
        if (_phase >= Phase.Stopping)
        {
            notice.Discard();
            return;
        }

        _notices ??= [];
        _notices.Enqueue((_taken + _messages.Reader.Count, notice));
    }
}
