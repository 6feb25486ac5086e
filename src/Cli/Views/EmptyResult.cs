using NftCluster.Messages;

namespace NftCluster.Cli.Views;

/// <summary>Says in one line why there is nothing to show: an empty screen must never be a riddle.</summary>
internal static class EmptyResult
{
    /// <summary>Null where something is shown.</summary>
    public static string? Explain(SessionRecord session, StatisticsRecord statistics, FilterTally tally)
    {
        if (tally.Matched > 0)
        {
            return null;
        }

        if (tally.Seen > 0)
        {
            return tally.Explain();
        }

        string failed = session.FailureReason is null ? "" : $"; the session failed: {session.FailureReason}";
        if (statistics.TotalEvents == 0)
        {
            string probes = session.Probes is { } count ? Readable.Plural(count, "probe") : "its probes";
            return $"the session saw no packets: 0 events from {probes}; filter was {SummaryView.Filter(session)}{Losses(statistics)}{failed}";
        }

        string seen = Readable.Plural(statistics.TotalPackets, "packet");
        return statistics.ValuablePackets == 0 && session.Quality != "all"
            ? $"the session saw {seen} but no valuable one (more than one event, a drop or a verdict): trace with --all to keep every packet{Losses(statistics)}{failed}"
            : $"the export holds no traces, though the session saw {seen}{Losses(statistics)}{failed}";
    }

    private static string Losses(StatisticsRecord statistics)
    {
        long lost = statistics.Losses.Sum(loss => loss.Count);
        return lost == 0 ? "" : $"; {lost:N0} lost ({string.Join(", ", statistics.Losses.Where(l => l.Count > 0).Select(l => $"{l.Count:N0} {l.Kind} at {l.Stage}"))})";
    }
}
