using System.CommandLine;
using System.Runtime.InteropServices;
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
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => Stop(signal, stop));
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => Stop(signal, stop));
        ExportOutput? export = null;
        try
        {
            await using var node = NodeHost.Start(request.Tracer, TimeProvider.System, failure => error.WriteLine($"nftcluster: {failure.Path} failed ({failure.Decision}): {failure.Error.Message}"));

            var tally = new FilterTally(request.Display);
            await using StreamWriter text = new(new StandardOutputStream(), new UTF8Encoding(false), 64 * 1024);
            var terminal = new TerminalWriter(text, TerminalWriter.WantsColour(!Console.IsOutputRedirected, Environment.GetEnvironmentVariable));
            var rules = new RuleTallyOutput(tally);
            SessionSpec spec = WithOutputs(request, node, terminal, tally, rules, stop, out export);

            ActorRef<SessionMessage> session = await node.OpenAsync(spec, stop.Token);
            IReadOnlyList<ProbeState> probes = (await node.ProbesAsync(stop.Token)).Probes;
            await error.WriteLineAsync($"nftcluster: session {spec.Id}: {TraceProgress.Describe(probes)}; {(string.IsNullOrWhiteSpace(spec.Filter) ? "every packet" : spec.Filter)}; Ctrl-C stops");
            if (request.ReadyFile is { } ready)
            {
                await WriteReadyFileAsync(ready, stop.Token);
            }
            SessionEnded ended = await FollowAsync(request, session, error, stop);
            Report(request, ended, tally, rules.Rules, terminal, export, error);
            return ended.Session.FailureReason is null ? 0 : 1;
        }
        finally
        {
            // After the node, whose actors write to it. A session that never opened leaves no file either.
            export?.Dispose();
        }
    }

    private static async Task WriteReadyFileAsync(string path, CancellationToken cancellation)
    {
        try
        {
            await File.WriteAllTextAsync(path, $"{Environment.ProcessId}\n", cancellation);
        }
        catch (Exception unwritable) when (unwritable is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"--ready-file {path} cannot be written: {unwritable.Message}");
        }
    }

    private static SessionSpec WithOutputs(TraceRequest request, NodeHost node, TerminalWriter terminal, FilterTally tally, RuleTallyOutput rules, CancellationTokenSource stop, out ExportOutput? export)
    {
        List<ITraceOutput> outputs = [];
        SessionRecord announced = node.Announce(request.Spec);
        export = request.ExportDirectory is { } directory ? new ExportOutput(directory, announced) : null;
        if (export is not null)
        {
            outputs.Add(export);
        }
        if (request.Json)
        {
            outputs.Add(new LineOutput(new StandardOutputStream(), tally, stop.Cancel));
        }
        else if (!request.Summary)
        {
            outputs.Add(new JourneyOutput(terminal, JourneyView.PlaceOf(announced), tally));
        }
        if (!request.Json && request.Tracer.Probes.Any(probe => probe.Kind == ProbeKind.Nft))
        {
            outputs.Add(rules);
        }
        return request.Spec with { Outputs = outputs };
    }

    /// <summary>Waits for the first of: the time, the packet limit, Ctrl-C, a failure. Then the session ends in order.</summary>
    private static async Task<SessionEnded> FollowAsync(TraceRequest request, ActorRef<SessionMessage> session, TextWriter error, CancellationTokenSource stop)
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

    private static void Report(TraceRequest request, SessionEnded ended, FilterTally tally, RuleTally rules, TerminalWriter terminal, ExportOutput? export, TextWriter error)
    {
        if (!request.Json)
        {
            var view = new SummaryView(terminal);
            view.Render(ended.Session, ended.Statistics with { ExportedPackets = export?.Count ?? 0 });
            view.RenderRules(rules);
            terminal.Flush();
        }
        if (export?.Path is { } path)
        {
            error.WriteLine($"nftcluster: exported {path}");
        }
        if (ended.Session.FailureReason is { } failure)
        {
            error.WriteLine($"nftcluster: the session failed: {failure}");
        }
        else if (!request.Summary && EmptyResult.Explain(ended.Session, ended.Statistics, tally) is { } why)
        {
            error.WriteLine($"nftcluster: {why}");
        }
    }

    private static void Stop(PosixSignalContext signal, CancellationTokenSource stop)
    {
        signal.Cancel = true; // not at once: stop, export, then exit 0
        stop.Cancel();
    }
}
