using NftCluster.Actors;
using NftCluster.Messages;

namespace NftCluster.Node.Sessions;

/// <summary>
/// The way to the outputs that somebody reads live. Bounded by what lies in it, so that a reader who stands still costs so much
/// memory and no more; what finds no room is counted. One actor offers, one takes.
/// </summary>
internal sealed class LiveLane
{
    public const string Stage = "live-lane-full";

    /// <summary>Some 150 MB of records with ten events each.</summary>
    private const int MostTraces = 32_768;

    /// <summary>Room for every trace, were each a batch of its own, and for the end, which is thus never refused.</summary>
    public const int Mailbox = MostTraces + 16;

    private ActorRef<LiveMessage> _taker = null!;
    private int _traces;
    private long _refused;

    /// <summary>Traces that were not shown because the lane was full.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    public static StatisticsRecord CountIn(StatisticsRecord statistics, LiveLane? lane) => lane is null ? statistics : statistics with
    {
        Losses = [.. statistics.Losses.Select(l => l.Stage == Stage && l.Count != lane.Refused ? l with { Count = lane.Refused } : l)],
    };

    /// <summary>Before the first offer: the taker knows its lane, the lane its taker.</summary>
    public void LeadTo(ActorRef<LiveMessage> taker) => _taker = taker;

    public void Offer(TraceRecord[] traces)
    {
        bool fits = Volatile.Read(ref _traces) + traces.Length <= MostTraces;
        if (fits)
        {
            Interlocked.Add(ref _traces, traces.Length);
            fits = _taker.Tell(new TracesToShow(traces));
        }
        if (!fits)
        {
            Interlocked.Add(ref _refused, traces.Length);
        }
    }

    /// <summary>Said by the taker when it is done with a batch.</summary>
    public void Leave(TraceRecord[] traces) => Interlocked.Add(ref _traces, -traces.Length);

    public void Complete(SessionRecord session, StatisticsRecord statistics) => _taker.Tell(new CompleteLive(session, statistics));
}
