using System.Text.Json;
using NftCluster.Messages;
using NftCluster.Node.Spool;

namespace NftCluster.Node.Agent;

/// <summary>What the last run of this node left in its spool: the set it obeyed, when it was last alive, the sessions' numbers.</summary>
internal sealed class NodeFacts(SpoolStore store)
{
    private readonly byte[]? _alive = store.Fact(AgentActor.AliveFact);

    public byte[]? Desired { get; } = store.Fact(AgentActor.DesiredFact);

    /// <summary>0 = it never ran a session.</summary>
    public long AliveNs => _alive is { Length: >= 8 } ? BitConverter.ToInt64(_alive) : 0;

    /// <summary>It was stopped, and everything it had seen is in the spool; else it was killed.</summary>
    public bool EndedInOrder => _alive is { Length: 9 };

    public static byte[] InOrder(long nowNs) => [.. BitConverter.GetBytes(nowNs), 1];

    /// <summary>Read at the start, before the spool has an actor to own it.</summary>
    public IReadOnlyDictionary<string, StatisticsRecord> Statistics { get; } = ReadStatistics(store);

    /// <summary>Until when what the session's tracker closed is in the spool; null = it never got so far.</summary>
    public long? CaughtUpNs(string session) => store.Fact(SpoolLane.CaughtUpFact + session) is { Length: 8 } fact ? BitConverter.ToInt64(fact) : null;

    public StatisticsRecord? StatisticsOf(string session) => Statistics.GetValueOrDefault(session);

    private static Dictionary<string, StatisticsRecord> ReadStatistics(SpoolStore store)
    {
        Dictionary<string, StatisticsRecord> all = new(StringComparer.Ordinal);
        foreach ((string name, byte[] value) in store.Facts(AgentActor.StatisticsFact))
        {
            if (value.Length > 0 && JsonSerializer.Deserialize(value, TraceJson.Default.StatisticsRecord) is { } statistics)
            {
                all[name[AgentActor.StatisticsFact.Length..]] = statistics;
            }
        }
        return all;
    }
}
