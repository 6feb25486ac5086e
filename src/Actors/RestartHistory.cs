namespace NftCluster.Actors;

/// <summary>The restarts of one child that still count against its budget. Owned by the supervisor.</summary>
internal sealed class RestartHistory(TimeProvider time)
{
    private readonly Queue<long> _restarts = [];

    /// <summary>False when the budget is used up.</summary>
    internal bool TrySpend(SupervisorStrategy strategy, out TimeSpan backOff)
    {
        long now = time.GetTimestamp();
        while (_restarts.TryPeek(out long oldest) && time.GetElapsedTime(oldest, now) >= strategy.Window)
        {
            _restarts.Dequeue();
        }

        backOff = BackOffAfter(_restarts.Count, strategy);
        if (_restarts.Count >= strategy.MaxRestarts)
        {
            return false;
        }

        _restarts.Enqueue(now);
        return true;
    }

    private static TimeSpan BackOffAfter(int restarts, SupervisorStrategy strategy)
    {
        // In double, so that doubling cannot overflow; the maximum cuts it.
        double milliseconds = strategy.BackOff.TotalMilliseconds * Math.Pow(2, restarts);
        return TimeSpan.FromMilliseconds(Math.Min(milliseconds, strategy.MaxBackOff.TotalMilliseconds));
    }
}
