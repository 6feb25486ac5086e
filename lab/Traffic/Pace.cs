using System.Diagnostics;

namespace NftCluster.Lab;

/// <summary>Holds a sender to its rate and to its time.</summary>
internal sealed class Pace(double perSecond, TimeSpan limit)
{
    // Shorter waits are not worth a sleep: the sender runs at most this far ahead.
    private static readonly TimeSpan _shortestSleep = TimeSpan.FromMilliseconds(1);

    private readonly long _start = Stopwatch.GetTimestamp();

    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(_start);

    public TimeSpan Left => limit > Elapsed ? limit - Elapsed : TimeSpan.Zero;

    /// <summary>Waits until the item of this number (from 0) is due; false when the time is over.</summary>
    public bool Wait(long number)
    {
        if (perSecond > 0)
        {
            var due = TimeSpan.FromSeconds(Math.Min(number / perSecond, limit.TotalSeconds));
            if (due - Elapsed is { } early && early >= _shortestSleep)
            {
                Thread.Sleep(early);
            }
        }

        return Elapsed < limit;
    }

    /// <summary>A time-out for one answer: a second, or what is left.</summary>
    public int AnswerMilliseconds() => Math.Max(1, (int)Math.Min(1000, Left.TotalMilliseconds));
}
