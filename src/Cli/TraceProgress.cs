using NftCluster.Actors;
using NftCluster.Node.Kernel;
using NftCluster.Node.Sessions;

namespace NftCluster.Cli;

/// <summary>A line on standard error each second: rate, totals and losses; rewritten in place on a terminal.</summary>
internal sealed class TraceProgress(TextWriter error, bool isTerminal, TimeProvider time)
{
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);

    /// <summary>In a file or a journal a line a second is noise: one every ten seconds there.</summary>
    private const int QuietEvery = 10;

    /// <summary>"34 probes (24 tracepoint, 10 netfilter)".</summary>
    public static string Describe(IReadOnlyList<ProbeState> probes)
    {
        ProbeState[] attached = [.. probes.Where(p => p.Backend is not null)];
        IEnumerable<string> kinds = attached.GroupBy(p => p.Backend!.Value).Select(g => $"{g.Count()} {Backends.NameOf(g.Key)}");
        return $"{attached.Length} probes ({string.Join(", ", kinds)})";
    }

    /// <summary>Returns when cancelled, or when the session is over or stopping by itself.</summary>
    public async Task FollowAsync(ActorRef<SessionMessage> session, CancellationToken cancellationToken)
    {
        try
        {
            using PeriodicTimer timer = new(_period, time);
            long before = 0;
            for (int tick = 1; await timer.WaitForNextTickAsync(cancellationToken); tick++)
            {
                if (await AskAsync(session, cancellationToken) is not { } status)
                {
                    continue;
                }
                if (status.State != SessionState.Running)
                {
                    break;
                }
                long events = status.Statistics.TotalEvents;
                if (isTerminal || tick % QuietEvery == 0)
                {
                    Show($"{events - before:N0} events/s, {events:N0} events, {status.Statistics.TotalPackets:N0} packets, {Losses(status)}");
                }
                before = events;
            }
        }
        catch (OperationCanceledException)
        {
            // The time is over or the user has seen enough: the ordinary way to end.
        }
        if (isTerminal)
        {
            error.Write("\r\u001b[K");
        }
    }

    /// <summary>Null when the session is too busy to answer: it is asked again a second later.</summary>
    private static async Task<SessionStatus?> AskAsync(ActorRef<SessionMessage> session, CancellationToken cancellationToken)
    {
        try
        {
            return await session.AskAsync<SessionStatus>(reply => new GetStatus(reply), _patience, cancellationToken);
        }
        catch (TimeoutException)
        {
            // An overloaded machine: no reason to end a session that may be well.
            return null;
        }
    }

    private static string Losses(SessionStatus status)
    {
        IEnumerable<string> lost = status.Statistics.Losses.Where(l => l.Count > 0 && l.Stage != "orphaned")
            .GroupBy(l => l.Stage, StringComparer.Ordinal).Select(stage => $"{stage.Sum(l => l.Count):N0} {stage.Key}");
        string text = string.Join(", ", lost);
        return text.Length == 0 ? "nothing lost" : $"LOST: {text}";
    }

    private void Show(string line)
    {
        if (isTerminal)
        {
            error.Write($"\r\u001b[K{line}");
        }
        else
        {
            error.WriteLine($"nftcluster: {line}");
        }
    }
}
