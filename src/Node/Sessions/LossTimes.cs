using NftCluster.Messages;

namespace NftCluster.Node.Sessions;

/// <summary>
/// When a stage's count grew, as narrow as it was looked at: from the last look before the first growth to the look that saw
/// the last one. One record per stage.
/// </summary>
internal sealed class LossTimes(DateTimeOffset start)
{
    private readonly Dictionary<string, Growth> _growth = new(StringComparer.Ordinal);
    private DateTimeOffset _before = start;

    /// <summary>The records of one look at all stages.</summary>
    public List<LossRecord> Look(DateTimeOffset now, params ReadOnlySpan<(string Stage, string Kind, long Count)> stages)
    {
        List<LossRecord> records = new(stages.Length);
        foreach ((string stage, string kind, long count) in stages)
        {
            records.Add(Record(stage, kind, count, now));
        }
        _before = now;
        return records;
    }

    private LossRecord Record(string stage, string kind, long count, DateTimeOffset now)
    {
        bool known = _growth.TryGetValue(stage, out Growth seen);
        if (count > (known ? seen.Count : 0))
        {
            seen = new Growth(known ? seen.From : _before, now, count);
            _growth[stage] = seen;
            known = true;
        }
        return new LossRecord
        {
            Stage = stage,
            Kind = kind,
            Count = count,
            From = known ? TraceTime.Format(seen.From) : null,
            To = known ? TraceTime.Format(seen.To) : null,
        };
    }

    private readonly record struct Growth(DateTimeOffset From, DateTimeOffset To, long Count);
}
