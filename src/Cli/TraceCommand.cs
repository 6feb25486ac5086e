using System.CommandLine;
using System.Text;
using NftCluster.Actors;
using NftCluster.Cli.Outputs;
using NftCluster.Cli.Views;
using NftCluster.Messages;
using NftCluster.Node.Export;
using NftCluster.Node.Kernel;
using NftCluster.Node.Kernel.Probes;
using NftCluster.Node.Sessions;

namespace NftCluster.Cli;

/// <summary><c>nftcluster trace</c>: one session on this host, live on the terminal and into an export.</summary>
internal static class TraceCommand
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    public static Command Create()
    {
        Command command = new("trace", """
            Follow packets through this host's kernel.

            Examples:
              nftcluster trace host 10.3.0.2 and tcp port 80
              nftcluster trace --netns line-r1 --duration 10s --export . icmp
              nftcluster trace --drops --json | jq .drop_reason
              nftcluster trace --light --summary --duration 1m
            """);
        TraceOptions options = new TraceOptions().AddTo(command);
        command.SetAction((parsed, cancellation) => Failures.GuardedAsync(parsed, () => RunAsync(options.Bind(parsed), parsed.InvocationConfiguration.Error, cancellation)));
        return command;
    }

    private static async Task<int> RunAsync(TraceRequest request, TextWriter error, CancellationToken cancellation)
    {
        // Before anything is attached: what cannot work is said at once.
        _ = SessionWants.Of(request.Spec);
        using ReadyFile? ready = request.ReadyFile is { } path ? ReadyFile.Claim(path) : null;
        await using StandardOutputStream output = new();
        using StopSignals stop = new(output, error, cancellation);
        ExportOutput? export = null;
        try
        {
            await using var node = NodeHost.Start(request.Tracer, TimeProvider.System, failure => error.WriteLine($"nftcluster: {failure.Path} failed ({failure.Decision}): {failure.Error.Message}"));
            try
            {
                var tally = new FilterTally(request.Display);
                // Never disposed: what a failed run left in it is not worth waiting for a reader who stands still.
                var terminal = new TerminalWriter(new StreamWriter(output, new UTF8Encoding(false), 64 * 1024), TerminalWriter.WantsColour(!Console.IsOutputRedirected, Environment.GetEnvironmentVariable));
                var rules = new RuleTallyOutput(tally);
                IReadOnlyList<ProbeState> probes = (await node.ProbesAsync(stop.Token)).Probes;
                SessionRecord announced = node.Announce(request.Spec);
                export = request.ExportDirectory is { } directory ? new ExportOutput(directory, announced) : null;
                SessionSpec spec = request.Spec with
                {
                    Outputs = Outputs(request, export, rules, probes),
                    Live = LiveOutputs(request, output, terminal, announced, tally, stop),
                };

                ActorRef<SessionMessage> session = await node.OpenAsync(spec, stop.Token);
                await error.WriteLineAsync($"nftcluster: session {spec.Id}: {TraceProgress.Describe(probes)}; {(string.IsNullOrWhiteSpace(spec.Filter) ? "every packet" : spec.Filter)}; Ctrl-C stops");
                foreach (string way in (await node.ProbesAsync(stop.Token)).Unseen)
                {
                    await error.WriteLineAsync($"nftcluster: not visible on this path: {way}");
                }
                ready?.Write();
                SessionEnded ended = await FollowAsync(request, session, error, stop);
                if (export?.Path is { } file)
                {
                    await error.WriteLineAsync($"nftcluster: exported {file}");
                }
                // The export is safe. What is read live ends when its reader has read it, has gone, or a signal comes.
                LiveEnded live = await session.AskAsync<LiveEnded>(reply => new AwaitLive(reply), Timeout.InfiniteTimeSpan, CancellationToken.None);
                return Report(request, ended, live, tally, rules.Rules, terminal, export, output, error);
            }
            finally
            {
                output.Abandon(); // the node's actors stop only when none of them waits for a reader
            }
        }
        finally
        {
            // After the node, whose actors write to it. A session that never opened leaves no file either.
            export?.Dispose();
        }
    }

    private static List<ITraceOutput> Outputs(TraceRequest request, ExportOutput? export, RuleTallyOutput rules, IReadOnlyList<ProbeState> probes)
    {
        List<ITraceOutput> outputs = export is null ? [] : [export];
        if (!request.Json && probes.Any(probe => probe is { Definition.Kind: ProbeKind.Nft, Backend: not null }))
        {
            outputs.Add(rules);
        }
        return outputs;
    }

    private static List<ITraceOutput> LiveOutputs(TraceRequest request, StandardOutputStream output, TerminalWriter terminal, SessionRecord announced, FilterTally tally, StopSignals stop) => request switch
    {
        { Json: true } => [new LineOutput(output, tally, stop.Stop)],
        { Summary: true } => [],
        _ => [new JourneyOutput(terminal, JourneyView.PlaceOf(announced), tally, stop.Stop)],
    };

    /// <summary>Waits for the first of: the time, the packet limit, Ctrl-C, a failure. Then the session ends in order.</summary>
    private static async Task<SessionEnded> FollowAsync(TraceRequest request, ActorRef<SessionMessage> session, TextWriter error, StopSignals stop)
    {
        using var quiet = CancellationTokenSource.CreateLinkedTokenSource(stop.Token);
        if (request.Duration is { } duration)
        {
            quiet.CancelAfter(duration);
        }
        Task follow = request.FilterFile is { } path
            ? new FilterFile(path, TimeProvider.System).FollowAsync(request.Spec.Filter ?? "", session, error, quiet.Token)
            : Task.CompletedTask;
        await new TraceProgress(error, !Console.IsErrorRedirected, TimeProvider.System).FollowAsync(session, quiet.Token);
        await quiet.CancelAsync();
        await follow.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return await session.AskAsync<SessionEnded>(reply => new StopSession(reply), _patience, CancellationToken.None);
    }

    private static int Report(TraceRequest request, SessionEnded ended, LiveEnded live, FilterTally tally, RuleTally rules, TerminalWriter terminal, ExportOutput? export, StandardOutputStream output, TextWriter error)
    {
        if (!request.Json && live.Error is null)
        {
            Summarize(ended, rules, terminal, export);
        }
        if (ended.Session.FailureReason is { } failure)
        {
            error.WriteLine($"nftcluster: the session failed: {failure}");
        }
        else if (!request.Summary && EmptyResult.Explain(ended.Session, ended.Statistics, tally) is { } why)
        {
            error.WriteLine($"nftcluster: {why}");
        }
        if (live.Error is not null)
        {
            error.WriteLine($"nftcluster: {live.Error}");
        }
        else if (output.GaveUp)
        {
            error.WriteLine("nftcluster: nobody read standard output: the rest was not written there");
        }
        return ended.Session.FailureReason is null && live.Error is null && !output.GaveUp ? 0 : 1;
    }

    private static void Summarize(SessionEnded ended, RuleTally rules, TerminalWriter terminal, ExportOutput? export)
    {
        try
        {
            SummaryView view = new(terminal);
            view.Render(ended.Session, ended.Statistics with { ExportedPackets = export?.Count ?? 0 });
            view.RenderRules(rules);
            terminal.Flush();
        }
        catch (IOException e) when (LineWriter.IsReaderGone(e))
        {
            // `trace … | head`: whoever reads has seen enough.
        }
        catch (IOException e)
        {
            throw ExportException.StandardOutput(e);
        }
    }
}
