using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using NftCluster.Cli.Views;
using NftCluster.Messages;

namespace NftCluster.Cli.Client;

/// <summary><c>nftcluster journeys</c>, <c>journey</c> and <c>paths</c>: packets across all routers of a session.</summary>
internal static class JourneyCommands
{
    private static readonly JsonSerializerOptions _snakeCase = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };
    private static readonly ApiColumn[] _pathColumns = [new("PACKETS", "packets"), new("PATH", "path"), new("OUTCOME", "outcome"), new("MEDIAN", "latency_median"), new("P99", "latency_p99"), new("INCOMPLETE", "incomplete"), new("FIRST SEEN", "first_seen", IsWide: true), new("LAST SEEN", "last_seen", IsWide: true)];

    public static Command Journeys()
    {
        Command command = new("journeys", """
            Show packets across all routers of a session, newest first: where each went, and what became of it.

            Examples:
              nftcluster journeys web --limit 20
              nftcluster journeys web --outcome dropped --host 10.3.0.2
              nftcluster journeys web --path 'r1>r2' -o json | jq .incomplete_reasons
            """);
        Argument<string> session = SessionCommands.Session();
        command.Arguments.Add(session);
        (string Name, Option<string[]> Option)[] filters =
        [
            ("outcome", Many("--outcome", "CODE", "Only this outcome: delivered, consumed, forwarded-out, dropped, dropped:nft-rule, dropped:nft-policy, dropped:REASON, timeout, incomplete.")),
            ("join", Many("--join", "KIND", "Only with such a join: exact, nat, content, ambiguous.")),
            ("path", Many("--path", "NODES", "Only on this way, as far as it goes: 'r1>r2'.")),
            ("latency_over_ns", Many("--latency-over", "NS", "Only slower ones, in nanoseconds.")),
            ("host", Many("--host", "ADDRESS", "Only packets from or to this address, before or after NAT.")),
            ("port", Many("--port", "PORT", "Only packets from or to this port, before or after NAT.")),
            ("protocol", Many("--protocol", "NAME", "Only this protocol.")),
            ("from", Many("--since", "TIME", "Only packets first seen at or after this time.")),
            ("to", Many("--until", "TIME", "Only packets first seen at or before this time.")),
        ];
        Option<bool> incomplete = new("--incomplete") { Description = "Only journeys of which something is not known." };
        Option<long> limit = new("--limit") { Description = "At most so many.", HelpName = "N", DefaultValueFactory = _ => 100 };
        Array.ForEach(filters, filter => command.Options.Add(filter.Option));
        Option<string[]> where = WhereOption.Create();
        command.Options.Add(where);
        command.Options.Add(incomplete);
        command.Options.Add(limit);
        ClientOptions options = new ClientOptions().AddTo(command);
        command.SetAction((parsed, cancellation) => Failures.GuardedAsync(parsed, async () =>
        {
            StringBuilder query = new();
            foreach ((string name, Option<string[]> option) in filters)
            {
                foreach (string value in parsed.GetValue(option) ?? [])
                {
                    query.Append('&').Append(name).Append('=').Append(Uri.EscapeDataString(value));
                }
            }
            query.Append(WhereOption.AsQuery(parsed, where)).Append(parsed.GetValue(incomplete) ? "&whole=false" : "");
            using ControllerClient client = options.Open(parsed);
            string id = await SessionCommands.IdAsync(client, parsed.GetValue(session)!, cancellation);
            long most = parsed.GetValue(limit);
            TerminalWriter terminal = Terminal(parsed);
            HopStripView view = new(terminal);
            long shown = 0;
            await foreach (JsonElement row in ApiPages.AllAsync(client, string.Create(CultureInfo.InvariantCulture, $"/api/sessions/{id}/journeys?limit={Math.Clamp(most, 1, 1_000)}{query}"), cancellation))
            {
                if (options.FormatOf(parsed) == ClientOptions.Json)
                {
                    await parsed.InvocationConfiguration.Output.WriteLineAsync(row.GetRawText());
                }
                else
                {
                    view.WriteLine(Journey(row));
                }
                if (++shown == most)
                {
                    break;
                }
            }
            terminal.Flush();
            if (shown == 0)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync("nftcluster: no journey of this session passes these filters");
            }
            return 0;
        }));
        return command;
    }

    public static Command One()
    {
        Command command = new("journey", """
            Show one packet's way across all routers, hop by hop.

            Examples:
              nftcluster journey 3c8ced1a5e39f765~6ad9d91f68e1f0ab~12~7
              nftcluster journey 3c8ced1a5e39f765~6ad9d91f68e1f0ab~12~7 --summary
              nftcluster journey 3c8ced1a5e39f765~6ad9d91f68e1f0ab~12~7 --detailed
              nftcluster journey 3c8ced1a5e39f765~6ad9d91f68e1f0ab~12~7 --reply
              nftcluster journey 3c8ced1a5e39f765~6ad9d91f68e1f0ab~12~7 --pcapng packet.pcapng
              nftcluster journey diff A B
            """);
        Argument<string> id = new("ID") { Description = "As `journeys` shows it, or the id of any of its traces." };
        Option<bool> summary = new("--summary") { Description = "One sentence." };
        Option<bool> detailed = new("--detailed") { Description = "Also every layer, event and verdict at each hop." };
        Option<bool> reply = new("--reply") { Description = "Beside it the packet of its connection that went the other way next (or before it)." };
        Option<string?> capture = new("--pcapng") { Description = "Write its packets, hop by hop, into this capture file; - is standard output.", HelpName = "FILE" };
        command.Arguments.Add(id);
        command.Options.Add(summary);
        command.Options.Add(detailed);
        command.Options.Add(reply);
        command.Options.Add(capture);
        command.Subcommands.Add(JourneyDiffCommand.Create());
        ClientOptions options = new ClientOptions().AddTo(command);
        command.SetAction((parsed, cancellation) => Failures.GuardedAsync(parsed, async () =>
        {
            using ControllerClient client = options.Open(parsed);
            string path = PathOf(parsed.GetValue(id)!);
            if (parsed.GetValue(capture) is { } file)
            {
                await SessionExportCommand.DownloadAsync(client, $"{path}/pcapng", file, "journey.pcapng", parsed.InvocationConfiguration.Error, cancellation);
                return 0;
            }
            JsonElement answer = await client.GetAsync(path, cancellation);
            JourneyRecord journey = Journey(answer);
            TerminalWriter terminal = Terminal(parsed);
            if (options.FormatOf(parsed) == ClientOptions.Json)
            {
                await parsed.InvocationConfiguration.Output.WriteLineAsync(answer.GetRawText());
            }
            else if (parsed.GetValue(reply))
            {
                await WithReplyAsync(client, journey, terminal, cancellation);
            }
            else if (parsed.GetValue(summary))
            {
                await parsed.InvocationConfiguration.Output.WriteLineAsync(journey.Summary);
            }
            else
            {
                await new HopStripView(terminal).WriteAsync(journey, async hop =>
                {
                    if (parsed.GetValue(detailed))
                    {
                        JsonElement trace = await client.GetAsync($"/api/sessions/{journey.SessionId}/traces/{Uri.EscapeDataString(hop.TraceId)}", cancellation);
                        new JourneyView(terminal, hop.NodeName).Render(trace.Deserialize(TraceJson.Default.TraceRecord)!);
                    }
                });
                terminal.Flush();
            }
            return 0;
        }));
        return command;
    }

    private static async Task WithReplyAsync(ControllerClient client, JourneyRecord journey, TerminalWriter terminal, CancellationToken cancellation)
    {
        string other = journey.NextReverse ?? journey.PreviousReverse ?? throw new UsageException("no packet of its connection was seen going the other way within some seconds of it");
        JourneyRecord back = await GetAsync(client, other, cancellation);
        (JourneyRecord first, JourneyRecord second) = journey.NextReverse is null ? (back, journey) : (journey, back);
        new ReplyView(terminal).Write(first, second);
        terminal.Flush();
    }

    public static async Task<JourneyRecord> GetAsync(ControllerClient client, string id, CancellationToken cancellation) => Journey(await client.GetAsync(PathOf(id), cancellation));

    private static string PathOf(string id) => $"/api/journeys/{Uri.EscapeDataString(id)}";

    public static Command Paths()
    {
        Argument<string> session = SessionCommands.Session();
        return ClientOptions.Ask("paths", "Show which ways a session's packets take, how many, how slow, and where they end.", command => command.Arguments.Add(session),
            async (parsed, client, cancellation) => await client.GetAsync($"/api/sessions/{await SessionCommands.IdAsync(client, parsed.GetValue(session)!, cancellation)}/paths", cancellation),
            (output, format, answer) => ApiTable.Write(output, format, answer, ApiPages.RowsOf(answer).Select(PathRow), _pathColumns));
    }

    /// <summary>As people read it.</summary>
    private static JsonElement PathRow(JsonElement json)
    {
        PathRecord path = json.Deserialize<PathRecord>(_snakeCase) ?? throw new UsageException("the controller's answer is no path");
        return JsonSerializer.SerializeToElement(new
        {
            packets = path.Packets,
            path = string.Join(" > ", path.Path),
            outcome = path.Outcome,
            latency_median = HopStripView.Duration(path.LatencyMedianNs),
            latency_p99 = HopStripView.Duration(path.LatencyP99Ns),
            incomplete = path.Incomplete,
            first_seen = path.FirstSeen,
            last_seen = path.LastSeen,
        });
    }

    private static Option<string[]> Many(string name, string help, string description) => new(name) { HelpName = help, Description = description };

    private static JourneyRecord Journey(JsonElement json) => json.Deserialize<JourneyRecord>(_snakeCase) ?? throw new UsageException("the controller's answer is no journey");

    public static TerminalWriter Terminal(ParseResult parsed) =>
        new(parsed.InvocationConfiguration.Output, TerminalWriter.WantsColour(!Console.IsOutputRedirected, Environment.GetEnvironmentVariable));
}
