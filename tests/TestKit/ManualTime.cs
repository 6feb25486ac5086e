using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;

namespace NftCluster.TestKit;

/// <summary>A clock that the test moves, and that tells when a timer has been armed: moving it earlier would be a race.</summary>
public sealed class ManualTime : FakeTimeProvider
{
    private readonly Channel<TimeSpan> _armed = Channel.CreateUnbounded<TimeSpan>();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ITimer timer = base.CreateTimer(callback, state, dueTime, period);
        _armed.Writer.TryWrite(dueTime);
        return timer;
    }

    /// <summary>Waits for a timer with exactly this delay; earlier ones with other delays are passed over.</summary>
    public async Task WhenArmedAsync(TimeSpan due)
    {
        List<TimeSpan> seen = [];
        using CancellationTokenSource guard = new(Patience.Default);
        try
        {
            TimeSpan armed;
            do
            {
                armed = await _armed.Reader.ReadAsync(guard.Token);
                seen.Add(armed);
            }
            while (armed != due);
        }
        catch (OperationCanceledException error)
        {
            throw new TestProbeException($"No timer of {due} was armed within {Patience.Default}; armed were: [{string.Join(", ", seen)}].", error);
        }
    }

    /// <summary>Waits until the timer is armed, then moves the clock to it.</summary>
    public async Task PassAsync(TimeSpan due)
    {
        await WhenArmedAsync(due);
        Advance(due);
    }
}
