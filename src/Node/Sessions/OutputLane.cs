using NftCluster.Actors;
using NftCluster.Node.Nftables;
using NftCluster.Node.Pipeline;

namespace NftCluster.Node.Sessions;

/// <summary>
/// The way of closed traces and of what is heard of the ruleset to the actor that writes them. Bounded by the traces in it, however small
/// their batches are, and apart from that by the facts: a writer who stands still loses no trace to repeated confirmations, and the
/// other way round. The shard offers traces, the session tells facts, the writer takes both.
/// </summary>
internal sealed class OutputLane
{
    /// <summary>Some 65 MB of traces with ten events each; a second of the fastest traffic that was measured.</summary>
    public const int MostTraces = 65_536;

    /// <summary>Beyond them the writer knows less of the ruleset, and says so at the verdicts.</summary>
    public const int MostFacts = 4_096;

    /// <summary>Room for all that the lane lets in, for the end, and for the writer's timer: none of them is ever refused.</summary>
    public const int Mailbox = MostTraces + MostFacts + 16;

    private ActorRef<OutputMessage> _writer = null!;
    private RulesetChanged? _confirmation;
    private int _traces;
    private int _facts;
    private int _marks;

    /// <summary>Before the first offer: the writer knows its lane, the lane its writer.</summary>
    public void LeadTo(ActorRef<OutputMessage> writer) => _writer = writer;

    /// <summary>False when there is no room: the traces stay with the caller, who counts them.</summary>
    public bool Offer(PacketTrace[] traces)
    {
        if (Volatile.Read(ref _traces) + traces.Length > MostTraces)
        {
            return false;
        }
        Interlocked.Add(ref _traces, traces.Length);
        if (_writer.Tell(new TracesToWrite(traces)))
        {
            return true;
        }
        Written(traces.Length);
        return false;
    }

    /// <summary>Said by the writer of traces that it is done with.</summary>
    public void Written(int traces) => Interlocked.Add(ref _traces, -traces);

    /// <summary>
    /// A confirmation of the generation that the last fact confirmed takes that one's place as long as it waits: they come a hundred times
    /// a second. False when there is no room.
    /// </summary>
    public bool Tell(RulesetFact fact)
    {
        if (fact is GenerationConfirmed confirmed && _confirmation?.TryRenew(confirmed) == true)
        {
            return true;
        }
        if (Volatile.Read(ref _facts) >= MostFacts)
        {
            return false;
        }
        RulesetChanged message = new(fact);
        _confirmation = fact is GenerationConfirmed ? message : null;
        Interlocked.Increment(ref _facts);
        if (_writer.Tell(message))
        {
            return true;
        }
        Interlocked.Decrement(ref _facts);
        return false;
    }

    /// <summary>The fact, for the writer alone: from now on it is not renewed.</summary>
    public RulesetFact Take(RulesetChanged message)
    {
        Interlocked.Decrement(ref _facts);
        return message.Take();
    }

    /// <summary>Behind all that was offered: one at a time, a second one before the first was taken is left out.</summary>
    public void Mark(ulong nowNs)
    {
        if (Interlocked.CompareExchange(ref _marks, 1, 0) == 0 && !_writer.Tell(new CaughtUpTo(nowNs)))
        {
            MarkTaken();
        }
    }

    public void MarkTaken() => Volatile.Write(ref _marks, 0);

    public void Complete(CompleteOutputs end) => _writer.Tell(end);
}
