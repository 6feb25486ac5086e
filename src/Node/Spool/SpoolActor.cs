using NftCluster.Actors;

namespace NftCluster.Node.Spool;

/// <summary>Owns the spool's file: gathers what comes for a moment, writes it in one transaction, hands frames out for sending.</summary>
internal sealed class SpoolActor(SpoolStore store, Action<string> say) : Actor<SpoolMessage>
{
    /// <summary>One sync of the disk for all that came meanwhile; nobody waits for it but whoever reads the controller.</summary>
    private static readonly TimeSpan _gathering = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _afterFailure = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _pruning = TimeSpan.FromSeconds(30);
    private const int TracesPerWrite = 2_048;

    private readonly SpoolBasket _basket = new();
    private SpoolLane? _lane;
    private Action _grown = static () => { };
    private string? _failure;

    protected override ValueTask PreStartAsync()
    {
        _lane = new SpoolLane(Context.Self);
        Timers.StartPeriodic(nameof(PruneSpool), new PruneSpool(), _pruning);
        return default;
    }

    protected override ValueTask ReceiveAsync(SpoolMessage message)
    {
        switch (message)
        {
            case GetSpoolLane { ReplyTo: var asker }:
                asker.Tell(_lane!);
                break;
            case SpoolTraces traces:
                Gather(traces);
                break;
            case SpoolLosses { Session: var session, Losses: var losses }:
                _basket.Add(session, losses);
                FlushSoon();
                break;
            case SpoolReport { Report: var report }:
                _basket.Add(report);
                FlushSoon();
                break;
            case KeepFact { Name: var name, Value: var value }:
                _basket.Keep(name, value);
                FlushSoon();
                break;
            case FlushSpool:
                Flush();
                break;
            case PruneSpool:
                Try(store.Prune);
                break;
            case TakeFrames { AfterId: var after, MostBytes: var bytes, ReplyTo: var asker }:
                IReadOnlyList<SpoolFrame> frames = [];
                Try(() => frames = store.Take(after, bytes));
                asker.Tell(new FramesTaken(frames));
                break;
            case FramesCommitted { UpTo: var upTo }:
                Try(() => store.Forget(upTo));
                break;
            case RenumberFrames { ReplyTo: var asker }:
                Try(store.BeginEpoch);
                asker.Tell(store.Epoch);
                break;
            case GetSpoolLevel { ReplyTo: var asker }:
                asker.Tell(store.Level);
                break;
            case NotifyGrowth { Grown: var grown }:
                _grown = grown;
                break;
        }
        return default;
    }

    protected override ValueTask PostStopAsync()
    {
        Flush();
        store.Dispose();
        return default;
    }

    private void Gather(SpoolTraces traces)
    {
        if (traces.Refused is { } refused)
        {
            _basket.Add(traces.Session, [refused]);
        }
        _basket.Add(traces.Session, traces.Traces);
        _lane!.Leave(traces.Traces);
        if (_failure is not null && Timers.IsActive(nameof(FlushSpool)))
        {
            _basket.Failed(); // until the next try the disk takes nothing: counted at once, so that nothing piles up
        }
        else if (_basket.TraceCount >= TracesPerWrite)
        {
            Flush();
        }
        FlushSoon();
    }

    private void FlushSoon()
    {
        if (!_basket.IsEmpty && !Timers.IsActive(nameof(FlushSpool)))
        {
            Timers.StartSingle(nameof(FlushSpool), new FlushSpool(), _failure is null ? _gathering : _afterFailure);
        }
    }

    private void Flush()
    {
        Timers.Cancel(nameof(FlushSpool));
        if (_basket.IsEmpty)
        {
            return;
        }
        if (Try(() => store.Append(_basket.Entries(), [.. _basket.Facts])))
        {
            _basket.Written();
            _grown();
        }
        else
        {
            _basket.Failed();
            FlushSoon();
        }
    }

    /// <summary>A disk that is full is told once, and once more when it takes data again.</summary>
    private bool Try(Action step)
    {
        try
        {
            step();
            if (_failure is not null)
            {
                _failure = null;
                say("the spool takes traces again; what was lost meanwhile is recorded");
            }
            return true;
        }
        catch (SpoolException failure)
        {
            if (_failure != failure.Message)
            {
                _failure = failure.Message;
                say($"{failure.Message}: closed traces are lost and counted until there is room");
            }
            return false;
        }
    }
}
