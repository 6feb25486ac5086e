using NftCluster.Messages.Link;

namespace NftCluster.Node.Agent;

internal enum PlanKind
{
    /// <summary>It is not here yet, or was paused.</summary>
    Open,

    /// <summary>Something changed that a running session cannot take: it ends and begins anew.</summary>
    Reopen,

    /// <summary>Only the filter changed: replaced while running.</summary>
    ChangeFilter,

    /// <summary>What changed, the agent itself looks after (limits, sampling, end).</summary>
    Adjust,

    /// <summary>It ends here, but stays desired.</summary>
    Pause,

    /// <summary>It is not in the set any more.</summary>
    Remove,
}

internal sealed record PlanStep(PlanKind Kind, string Id, DesiredSession? Wanted);

/// <summary>From what runs and the whole desired set to the steps between them; nothing for what is as it should be.</summary>
internal static class SessionPlan
{
    public static IReadOnlyList<PlanStep> Make(IReadOnlyDictionary<string, DesiredSession> running, IEnumerable<DesiredSession> desired)
    {
        List<PlanStep> steps = [];
        HashSet<string> wantedIds = new(StringComparer.Ordinal);
        foreach (DesiredSession wanted in desired)
        {
            if (!wantedIds.Add(wanted.Id))
            {
                continue; // one name is one session; the first stands
            }
            if (Step(running.GetValueOrDefault(wanted.Id), wanted) is { } kind)
            {
                steps.Add(new PlanStep(kind, wanted.Id, wanted));
            }
        }
        // Ends first: a bit of the kernel half, or a probe set, may be needed by what begins.
        steps.InsertRange(0, running.Keys.Where(id => !wantedIds.Contains(id)).Order(StringComparer.Ordinal).Select(id => new PlanStep(PlanKind.Remove, id, null)));
        return steps;
    }

    private static PlanKind? Step(DesiredSession? running, DesiredSession wanted)
    {
        if (running is null)
        {
            return wanted.Paused ? PlanKind.Pause : PlanKind.Open;
        }
        if (running.Equals(wanted))
        {
            return null;
        }
        if (running.Paused != wanted.Paused)
        {
            return wanted.Paused ? PlanKind.Pause : PlanKind.Open;
        }
        if (wanted.Paused)
        {
            return PlanKind.Pause;
        }
        if (!Fixed(running).Equals(Fixed(wanted)))
        {
            return PlanKind.Reopen;
        }
        return running.Filter == wanted.Filter ? PlanKind.Adjust : PlanKind.ChangeFilter;
    }

    /// <summary>Without what can change under a running session.</summary>
    private static DesiredSession Fixed(DesiredSession session) => new(session)
    {
        Generation = 0,
        Filter = "",
        SampleThreshold = 0,
        Limits = new SessionLimits { Packets = session.Limits?.Packets ?? 0, MemoryBytes = session.Limits?.MemoryBytes ?? 0 },
    };
}
