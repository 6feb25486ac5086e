using System.CommandLine;
using System.Text;
using NftCluster.Cli.Views;
using NftCluster.Messages;
using NftCluster.Messages.Pcapng;
using NftCluster.Node.Export;

namespace NftCluster.Cli;

/// <summary><c>nftcluster show FILE</c>: an export, offline, with the filters and views of <c>trace</c>.</summary>
internal static class ShowCommand
{
    private const int OutputBuffer = 64 * 1024;

    public static Command Create() => Create(
        () => new StandardOutputStream(),
        () => TerminalWriter.WantsColour(!Console.IsOutputRedirected, Environment.GetEnvironmentVariable));

    internal static Command Create(Func<Stream> output, Func<bool> wantsColour)
    {
        var file = new Argument<string>("FILE") { Description = "An export: trace_….json." };
        var json = new Option<bool>("--json") { Description = "One line of JSON per trace." };
        var summary = new Option<bool>("--summary") { Description = "Totals, verdicts, drop reasons, top functions and losses instead of journeys." };
        var limit = new Option<string?>("--limit") { Description = "Stop after this many traces.", HelpName = "N" };
        var capture = new Option<string?>("--pcapng") { Description = "Write the packets as a capture file for Wireshark: one interface per device, what became of each as a comment.", HelpName = "FILE" };
        var command = new Command("show", "Show an export: journeys, JSON lines or a summary; or write it as a capture file.");
        command.Arguments.Add(file);
        command.Options.Add(json);
        command.Options.Add(summary);
        command.Options.Add(limit);
        command.Options.Add(capture);
        TraceFilterOptions filters = new TraceFilterOptions().AddTo(command);
        command.SetAction(parsed =>
        {
            TextWriter error = parsed.InvocationConfiguration.Error;
            if (!filters.TryBind(parsed, out TraceFilter filter, out string? complaint) || !TryLimit(parsed.GetValue(limit), out long most, out complaint))
            {
                return Fail(error, complaint);
            }

            if (parsed.GetValue(json) && parsed.GetValue(summary))
            {
                return Fail(error, "--json and --summary exclude each other: give one of them");
            }

            if (parsed.GetValue(capture) is not null && (parsed.GetValue(json) || parsed.GetValue(summary)))
            {
                return Fail(error, "--pcapng excludes --json and --summary: give one of them");
            }

            try
            {
                using Stream stream = output();
                using var export = ExportReader.Open(parsed.GetValue(file)!);
                var show = new Showing(export, filter, most, error);
                if (parsed.GetValue(capture) is { } path)
                {
                    show.Capture(path);
                }
                else if (parsed.GetValue(json))
                {
                    show.Lines(stream);
                }
                else
                {
                    using var text = new StreamWriter(stream, new UTF8Encoding(false), OutputBuffer);
                    show.Text(new TerminalWriter(text, wantsColour()), parsed.GetValue(summary));
                }

                return 0;
            }
            catch (ExportException e)
            {
                return Fail(error, e.Message);
            }
            catch (IOException e) when (LineWriter.IsReaderGone(e))
            {
                // `show … | head`: whoever reads has seen enough.
                return 0;
            }
            catch (IOException e)
            {
                return Fail(error, ExportException.StandardOutput(e).Message);
            }
        });
        return command;
    }

    private static bool TryLimit(string? text, out long limit, out string? complaint)
    {
        limit = long.MaxValue;
        complaint = text is null || (long.TryParse(text, out limit) && limit > 0) ? null : $"--limit: '{text}' is no number of traces: give 1 or more";
        return complaint is null;
    }

    private static int Fail(TextWriter error, string? complaint)
    {
        error.WriteLine($"nftcluster: {complaint}");
        return 1;
    }

    /// <summary>One walk through an export.</summary>
    private sealed class Showing(ExportReader export, TraceFilter filter, long limit, TextWriter error)
    {
        private readonly FilterTally _tally = new(filter);
        private bool _stopped;

        public void Lines(Stream stream)
        {
            using var lines = new LineWriter(stream);
            foreach (TraceRecord trace in Matching())
            {
                lines.Append(trace);
                if (lines.ReaderGone)
                {
                    return;
                }
            }

            lines.Flush();
            Explain();
        }

        /// <summary>Into a new file: one that is there is not overwritten.</summary>
        public void Capture(string path)
        {
            using FileStream file = Created(path);
            using PcapngWriter writer = new(file, "NftCluster");
            foreach (TraceRecord trace in Matching())
            {
                writer.Add(trace, export.Session?.Host ?? "?");
            }
            writer.Flush();
            error.WriteLine($"nftcluster: {path}, {Readable.Plural(writer.Packets, "packet")}{(writer.Skipped > 0 ? $"; {Readable.Plural(writer.Skipped, "trace")} without an IP header left out" : "")}");
            Explain();
        }

        private static FileStream Created(string path)
        {
            try
            {
                return new FileStream(path, FileMode.CreateNew, FileAccess.Write);
            }
            catch (Exception e) when (ExportException.IsExpected(e))
            {
                throw ExportException.Writing(path, e);
            }
        }

        public void Text(TerminalWriter terminal, bool summary)
        {
            if (summary)
            {
                Summary(terminal);
            }
            else
            {
                Journeys(terminal);
            }

            terminal.Flush();
            Explain();
        }

        private void Journeys(TerminalWriter terminal)
        {
            JourneyView? view = null;
            foreach (TraceRecord trace in Matching())
            {
                // A file whose session stands behind its traces was rewritten by other tools: its place is not known yet.
                view ??= new JourneyView(terminal, export.Session is null ? "?" : JourneyView.PlaceOf(export.Session));
                view.Render(trace);
            }
        }

        private void Summary(TerminalWriter terminal)
        {
            var matches = new TraceTally();
            var rules = new RuleTally();
            foreach (TraceRecord trace in Matching())
            {
                matches.Add(trace);
                rules.Add(trace);
            }

            if (export.Session is null || export.Statistics is null)
            {
                throw new ExportException("session and statistics stand behind the traces in this file: show the summary without --limit");
            }

            var view = new SummaryView(terminal);
            view.Render(export.Session, export.Statistics);
            if (!filter.IsEmpty && matches.Traces > 0)
            {
                view.RenderMatches(matches, _tally.Seen);
            }
            view.RenderRules(rules);
        }

        private IEnumerable<TraceRecord> Matching()
        {
            foreach (TraceRecord trace in export.ReadTraces())
            {
                if (_tally.Matched >= limit)
                {
                    _stopped = true;
                    yield break;
                }

                if (_tally.Matches(trace))
                {
                    yield return trace;
                }
            }
        }

        private void Explain()
        {
            if (_stopped)
            {
                error.WriteLine($"nftcluster: stopped after {Readable.Plural(limit, "trace")} (--limit)");
            }

            if (export.Session is { } session && export.Statistics is { } statistics && EmptyResult.Explain(session, statistics, _tally) is { } why)
            {
                error.WriteLine($"nftcluster: {why}");
            }
        }
    }
}
