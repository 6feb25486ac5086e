using NftCluster.Controller.Storage;

namespace NftCluster.Controller.Stitching;

/// <summary>
/// Cuts a session's time into windows that are joined one after the other. Short at the begin, so that a first page comes soon, then longer, as every window
/// reads its margins, too; never more than memory bears. For one walk.
/// </summary>
internal sealed class JoinWindows(IReadOnlyList<FrameSpan> spans, long marginNs)
{
    private const long FirstStepNs = 2_000_000_000;
    private const long LongestStepNs = 60_000_000_000;

    /// <summary>At less than a kilobyte each (bench/stitching).</summary>
    private const int MostTraces = 200_000;

    private long _step = FirstStepNs;

    /// <summary>The next window between these times that has packets, with the frames of it and its margins; null where there is none.</summary>
    public (long BeginNs, long EndNs, IReadOnlyList<FrameSpan> Frames)? Next(long fromNs, long toNs, bool isForward)
    {
        if (Edge(fromNs, toNs, isForward) is not { } edge)
        {
            return null;
        }
        while (true)
        {
            (long begin, long end) = isForward ? (edge, Math.Min(toNs, edge + _step)) : (Math.Max(fromNs, edge - _step), edge);
            FrameSpan[] frames = [.. spans.Where(span => span.LastNs >= begin - marginNs && span.FirstNs <= end + marginNs)];
            bool isFull = frames.Sum(frame => (long)frame.Traces) > MostTraces;
            if (isFull && _step > FirstStepNs)
            {
                _step = FirstStepNs;
                continue;
            }
            _step = isFull ? _step : Math.Min(LongestStepNs, _step * 2);
            return (begin, end, frames);
        }
    }

    /// <summary>The time of the nearest packet, or of its frame's end: a bound.</summary>
    private long? Edge(long fromNs, long toNs, bool isForward)
    {
        long? edge = null;
        foreach (FrameSpan span in spans)
        {
            if (span.LastNs >= fromNs && span.FirstNs <= toNs)
            {
                long at = isForward ? Math.Max(span.FirstNs, fromNs) : Math.Min(span.LastNs, toNs);
                edge = edge is not { } known || (isForward ? at < known : at > known) ? at : edge;
            }
        }
        return edge;
    }
}
