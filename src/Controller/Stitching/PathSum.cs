using NftCluster.Messages;

namespace NftCluster.Controller.Stitching;

/// <summary>Counts journeys by their way and outcome.</summary>
internal sealed class PathSum
{
    /// <summary>Of each way so many latencies are kept, evenly over its packets.</summary>
    private const int MostLatencies = 8_192;

    private readonly Dictionary<string, Sum> _sums = new(StringComparer.Ordinal);

    /// <summary>Always true: it takes all.</summary>
    public bool Add(JourneyRecord journey)
    {
        string key = $"{string.Join('>', journey.Path)} {journey.Outcome}";
        if (!_sums.TryGetValue(key, out Sum? sum))
        {
            _sums[key] = sum = new Sum(journey);
        }
        sum.Packets++;
        sum.Incomplete += journey.Complete ? 0 : 1;
        sum.Last = journey.FirstSeen;
        if (sum.Packets % sum.Every == 0)
        {
            sum.Latencies.Add(journey.LatencyNs);
            if (sum.Latencies.Count == MostLatencies)
            {
                // Every second one goes, and from here on every second one is left out.
                sum.Latencies = [.. sum.Latencies.Where((_, i) => i % 2 == 0)];
                sum.Every *= 2;
            }
        }
        return true;
    }

    public IReadOnlyList<PathRecord> Records() => [.. _sums.Values.OrderByDescending(sum => sum.Packets).Select(sum => sum.Record())];

    private sealed class Sum(JourneyRecord first)
    {
        public long Packets { get; set; }

        public long Incomplete { get; set; }

        public long Every { get; set; } = 1;

        public string Last { get; set; } = first.FirstSeen;

        public List<long> Latencies { get; set; } = [];

        public PathRecord Record()
        {
            Latencies.Sort();
            return new PathRecord
            {
                Path = first.Path,
                Outcome = first.Outcome,
                Packets = Packets,
                Incomplete = Incomplete,
                LatencyMedianNs = Latencies.Count == 0 ? first.LatencyNs : Latencies[Latencies.Count / 2],
                LatencyP99Ns = Latencies.Count == 0 ? first.LatencyNs : Latencies[(int)(Latencies.Count * 0.99)],
                FirstSeen = first.FirstSeen,
                LastSeen = Last,
            };
        }
    }
}
