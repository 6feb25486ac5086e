using System.Globalization;

namespace NftCluster.Tests.Truth;

/// <summary>
/// The TCP bytes that passed one place in one direction of one connection. Segments may be cut differently (GRO, GSO), so
/// ranges are compared, not packets; how often bytes passed counts, too.
/// </summary>
internal sealed class ByteRanges
{
    private readonly List<(uint Start, uint Length)> _segments = [];

    public void Add(uint seq, int payload)
    {
        if (payload > 0)
        {
            _segments.Add((seq, (uint)payload));
        }
    }

    /// <summary>Disjoint ranges with the number of times each passed, relative to the lowest byte; adjacent equal ones joined.</summary>
    public IReadOnlyList<(long Start, long End, int Times)> Covered()
    {
        if (_segments.Count == 0)
        {
            return [];
        }
        // Sequence numbers wrap: all are taken relative to the first segment, as signed distances (RFC 1982).
        uint origin = _segments[0].Start;
        var edges = new SortedDictionary<long, int>();
        foreach ((uint start, uint length) in _segments)
        {
            long from = (int)(start - origin);
            edges[from] = edges.GetValueOrDefault(from) + 1;
            edges[from + length] = edges.GetValueOrDefault(from + length) - 1;
        }
        List<(long Start, long End, int Times)> ranges = [];
        long previous = edges.Keys.First();
        long lowest = previous;
        int times = 0;
        foreach ((long at, int change) in edges)
        {
            if (times > 0 && at > previous && change != 0)
            {
                ranges.Add((previous - lowest, at - lowest, times));
            }
            previous = change != 0 ? at : previous;
            times += change;
        }
        return ranges;
    }

    public string Words() => string.Join(' ', Covered().Take(6).Select(r => string.Create(CultureInfo.InvariantCulture, $"[{r.Start},{r.End})x{r.Times}")));
}
