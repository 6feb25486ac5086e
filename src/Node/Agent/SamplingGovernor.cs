namespace NftCluster.Node.Agent;

/// <summary>
/// Keeps a session within its budget by halving what it keeps, and doubling it again when half the budget has been enough for a
/// while. Thresholds are powers of two, so that what a node keeps under pressure is a part of what its neighbours keep.
/// </summary>
internal sealed class SamplingGovernor
{
    /// <summary>One packet in 4,096: less is no picture of anything.</summary>
    private const int MostHalvings = 12;

    /// <summary>Looks (one a second) within half the budget before more is kept.</summary>
    private const int CalmLooks = 10;

    private int _halvings;
    private int _calm;

    /// <summary>0 = every packet.</summary>
    public ulong Threshold => _halvings == 0 ? 0 : 1UL << (64 - _halvings);

    /// <summary>Why not every packet; null when it is.</summary>
    public string? Reason { get; private set; }

    /// <summary>What the user asked for and what the budget allows: the lower.</summary>
    public ulong Within(ulong wanted) => Threshold == 0 ? wanted : wanted == 0 ? Threshold : Math.Min(wanted, Threshold);

    /// <summary>Once a second; a budget of 0 is none.</summary>
    public void Look(double eventsPerSecond, double eventBudget, double cpuPercent, double cpuBudget)
    {
        double load = Math.Max(eventBudget > 0 ? eventsPerSecond / eventBudget : 0, cpuBudget > 0 ? cpuPercent / cpuBudget : 0);
        if (load > 1)
        {
            _calm = 0;
            _halvings = Math.Min(MostHalvings, _halvings + Math.Max(1, (int)Math.Floor(Math.Log2(load))));
            Reason = eventBudget > 0 && eventsPerSecond > eventBudget ? "events per second" : "CPU";
        }
        else if (_halvings > 0 && load < 0.5 && ++_calm >= CalmLooks)
        {
            _calm = 0;
            _halvings--;
            Reason = _halvings == 0 ? null : Reason;
        }
        else if (load >= 0.5)
        {
            _calm = 0;
        }
    }
}
