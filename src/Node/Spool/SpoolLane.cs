using NftCluster.Actors;
using NftCluster.Messages;
using NftCluster.Messages.Link;

namespace NftCluster.Node.Spool;

/// <summary>
/// The way of all sessions' traces to the spool. Bounded by what lies in it: a slow disk costs so much memory and no more, and
/// never makes anybody wait. Many offer, one takes.
/// </summary>
internal sealed class SpoolLane(ActorRef<SpoolMessage> spool)
{
    /// <summary>Some 40 MB of records with ten events each.</summary>
    private const int MostTraces = 8_192;
    private const int MostBatches = 512;

    /// <summary>With a session's id: until when what closed is in the spool.</summary>
    public const string CaughtUpFact = "caught-up ";

    private int _traces;
    private int _batches;

    public bool TryOffer(SpoolTraces batch)
    {
        if (Volatile.Read(ref _traces) + batch.Traces.Length > MostTraces || Volatile.Read(ref _batches) >= MostBatches)
        {
            return false;
        }
        Interlocked.Add(ref _traces, batch.Traces.Length);
        Interlocked.Increment(ref _batches);
        if (spool.Tell(batch))
        {
            return true;
        }
        Leave(batch.Traces);
        return false;
    }

    /// <summary>Said by the taker when it is done with a batch.</summary>
    public void Leave(TraceRecord[] traces)
    {
        Interlocked.Add(ref _traces, -traces.Length);
        Interlocked.Decrement(ref _batches);
    }

    /// <summary>What closed before this time (CLOCK_REALTIME, ns) lies before it in the lane.</summary>
    public void CaughtUp(string session, long wallNs) => spool.Tell(new KeepFact(CaughtUpFact + session, BitConverter.GetBytes(wallNs)));

    /// <summary>Not data: losses, which are few and must arrive.</summary>
    public void Tell(string session, Loss loss) => spool.Tell(new SpoolLosses(session, [loss]));
}
