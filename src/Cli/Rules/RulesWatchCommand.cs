using System.CommandLine;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Threading.Channels;
using NftCluster.Cli.Views;
using NftCluster.Node.Kernel;
using NftCluster.Node.Nftables;

namespace NftCluster.Cli.Rules;

/// <summary><c>nftcluster rules watch</c>: changes as they happen, as differences.</summary>
internal static class RulesWatchCommand
{
    /// <summary>Nobody binds verdicts here: the kernel's announcements are enough.</summary>
    private static readonly RulesetWatcherOptions _options = new() { QuietTick = TimeSpan.FromSeconds(1), BusyTick = TimeSpan.FromMilliseconds(100) };

    public static Command Create()
    {
        Command command = new("watch", """
            Show changes of the ruleset as they happen: who, and which rules came and went.

            Examples:
              nftcluster rules watch
              nftcluster rules watch --netns line-r1 --duration 1m -o json
            """);
        RulesPlace place = new RulesPlace().AddNamespaceTo(command);
        Option<string> format = RulesListCommand.Format(command);
        Option<string?> duration = TraceOptions.Text("--duration", "TIME", "Stop after this time: 10s, 5m, 1h. Default: until Ctrl-C.");
        command.Options.Add(duration);
        command.SetAction((parsed, cancellation) => Failures.GuardedAsync(parsed, async () =>
        {
            string path = place.PathOf(parsed);
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            if (parsed.GetValue(duration) is not null)
            {
                stop.CancelAfter(TraceOptions.Time(parsed, duration, default));
            }
            using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => Stop(signal, stop));
            using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => Stop(signal, stop));
            await WatchAsync(parsed, path, parsed.GetValue(format) == "json", stop.Token);
            return 0;
        }));
        return command;
    }

    private static async Task WatchAsync(ParseResult parsed, string path, bool json, CancellationToken cancellation)
    {
        var facts = Channel.CreateUnbounded<RulesetFact>(new UnboundedChannelOptions { SingleReader = true });
        using RulesetWatcher watcher = new(path, fact => facts.Writer.TryWrite(fact), _options);
        watcher.Start();
        Changes changes = new(RulesListCommand.Terminal(parsed), parsed.InvocationConfiguration, json);
        try
        {
            await foreach (RulesetFact fact in facts.Reader.ReadAllAsync(cancellation))
            {
                changes.Take(fact);
            }
        }
        catch (OperationCanceledException)
        {
            // Ctrl-C or the end of the time.
        }
    }

    private static void Stop(PosixSignalContext signal, CancellationTokenSource stop)
    {
        signal.Cancel = true;
        stop.Cancel();
    }

    /// <summary>What was announced since the last read, and the rules of that read.</summary>
    private sealed class Changes(TerminalWriter terminal, InvocationConfiguration streams, bool json)
    {
        private readonly List<GenerationSeen> _announced = [];
        private Ruleset? _last;

        public void Take(RulesetFact fact)
        {
            switch (fact)
            {
                case GenerationSeen seen:
                    _announced.Add(seen);
                    break;
                case AnnouncementsLost:
                    streams.Error.WriteLine("nftcluster: the kernel dropped announcements: who made some of the next changes is not known");
                    break;
                case WatchFailed failed:
                    throw new KernelException($"watching the ruleset failed: {failed.Error.Message}");
                case RulesetRead read when _last is null:
                    _last = read.Ruleset.WithoutOurs();
                    streams.Error.WriteLine($"nftcluster: watching generation {_last.Generation}: {Readable.Plural(_last.Tables.Count, "table")}, {Readable.Plural(_last.RuleCount, "rule")}; Ctrl-C stops");
                    break;
                case RulesetRead read when read.Ruleset.Generation != _last.Generation:
                    Show(_last, _last = read.Ruleset.WithoutOurs());
                    break;
            }
        }

        private void Show(Ruleset before, Ruleset after)
        {
            IReadOnlyList<RulesetChange> changes = RulesetDiff.Between(before, after);
            GenerationSeen[] by = [.. _announced.Where(seen => unchecked((int)(seen.Generation - before.Generation)) > 0 && unchecked((int)(seen.Generation - after.Generation)) <= 0)];
            _announced.RemoveAll(seen => unchecked((int)(seen.Generation - after.Generation)) <= 0);
            string now = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.fffZ");
            if (json)
            {
                ChangeView view = new(now, after.Generation, [.. by.Select(seen => AuthorOf(seen))], Lines(changes, ChangeKind.Removed), Lines(changes, ChangeKind.Added));
                streams.Output.WriteLine(JsonSerializer.Serialize(view, RulesJson.Readable.ChangeView));
                streams.Output.Flush();
                return;
            }
            uint count = after.Generation - before.Generation;
            string who = string.Join(", ", by.Select(seen => AuthorOf(seen)).Select(author => $"{author.Process ?? "?"} (pid {author.Pid})").Distinct(StringComparer.Ordinal));
            terminal.Write($"{Readable.TimeOfDay(now)}  generation {after.Generation}", Ink.Strong)
                .Write(who.Length > 0 ? $" by {who}" : " by a process that is not known").Write(count > 1 ? $", {count} changes together" : "").Write(changes.Count == 0 ? ": no rule differs" : "").EndLine();
            foreach (RulesetChange change in changes)
            {
                bool added = change.Kind == ChangeKind.Added;
                terminal.Write($"  {(added ? '+' : '-')} {change}", added ? Ink.Good : Ink.Bad).EndLine();
            }
            terminal.Flush();
        }

        /// <summary>The kernel names the thread; the process is asked for where it still lives.</summary>
        private static ChangeAuthorView AuthorOf(GenerationSeen seen)
        {
            const string Field = "Tgid:";
            try
            {
                string? process = File.ReadLines($"/proc/{seen.ProcessId}/status").FirstOrDefault(line => line.StartsWith(Field, StringComparison.Ordinal));
                if (int.TryParse(process?[Field.Length..], out int pid) && pid != seen.ProcessId)
                {
                    return new ChangeAuthorView(seen.Generation, File.ReadAllText($"/proc/{pid}/comm").TrimEnd('\n'), pid);
                }
            }
            catch (IOException)
            {
                // Gone already: nft lives for milliseconds, and is one thread.
            }
            return new ChangeAuthorView(seen.Generation, seen.ProcessName, seen.ProcessId);
        }

        private static string[] Lines(IReadOnlyList<RulesetChange> changes, ChangeKind kind) => [.. changes.Where(change => change.Kind == kind).Select(change => change.ToString())];
    }
}
