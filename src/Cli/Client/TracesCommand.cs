using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using NftCluster.Cli.Views;
using NftCluster.Messages;
using NftCluster.Node.Export;

namespace NftCluster.Cli.Client;

/// <summary><c>nftcluster traces</c>: what a session has stored, with the filters and views of <c>trace</c> and <c>show</c>.</summary>
internal static class TracesCommand
{
    private const int MostPerPage = 1_000;

    public static Command Create()
    {
        Command command = new("traces", """
            Show what a session's nodes have seen: journeys, or JSON lines, newest first.

            Examples:
              nftcluster traces web --limit 20
              nftcluster traces web --node r2 --drops-only
              nftcluster traces web --host 10.3.0.2 --port 443 -o json | jq .final_verdict
              nftcluster traces web --where in.ttl=63 --where events.comm=nginx
            """);
        Argument<string> session = SessionCommands.Session();
        Option<string[]> nodes = new("--node") { Description = "Only what this node saw; may be given again.", HelpName = "NODE" };
        Option<long> limit = new("--limit") { Description = "At most so many.", HelpName = "N", DefaultValueFactory = _ => 100 };
        command.Arguments.Add(session);
        command.Options.Add(nodes);
        command.Options.Add(limit);
        Option<string[]> where = WhereOption.Create();
        command.Options.Add(where);
        TraceFilterOptions filters = new TraceFilterOptions().AddTo(command);
        ClientOptions options = new ClientOptions().AddTo(command);
        command.SetAction((parsed, cancellation) => Failures.GuardedAsync(parsed, async () =>
        {
            if (!filters.TryBind(parsed, out TraceFilter filter, out string? complaint))
            {
                throw new UsageException(complaint!);
            }
            using ControllerClient client = options.Open(parsed);
            string id = await SessionCommands.IdAsync(client, parsed.GetValue(session)!, cancellation);
            string seen = await NodesAsync(client, parsed.GetValue(nodes) ?? [], cancellation);
            string path = string.Create(CultureInfo.InvariantCulture, $"/api/sessions/{id}/traces?limit={Math.Clamp(parsed.GetValue(limit), 1, MostPerPage)}{filters.AsQuery(parsed)}{WhereOption.AsQuery(parsed, where)}{seen}");
            using Stream stream = new StandardOutputStream();
            using var text = new StreamWriter(stream, new UTF8Encoding(false));
            bool isJson = options.FormatOf(parsed) == ClientOptions.Json;
            long shown = await ShowAsync(client, path, filter, parsed.GetValue(limit), isJson, text, cancellation);
            await text.FlushAsync(cancellation);
            if (shown == 0)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync("nftcluster: no trace of this session passes these filters");
            }
            return 0;
        }));
        return command;
    }

    private static async Task<long> ShowAsync(ControllerClient client, string path, TraceFilter filter, long limit, bool isJson, StreamWriter text, CancellationToken cancellation)
    {
        var terminal = new TerminalWriter(text, TerminalWriter.WantsColour(!Console.IsOutputRedirected, Environment.GetEnvironmentVariable));
        Dictionary<string, JourneyView> views = new(StringComparer.Ordinal);
        long shown = 0;
        await foreach (JsonElement row in ApiPages.AllAsync(client, path, cancellation))
        {
            if (row.Deserialize(TraceJson.Default.TraceRecord) is not { } trace || !filter.Matches(trace))
            {
                continue;
            }
            if (isJson)
            {
                await text.WriteLineAsync(row.GetRawText().AsMemory(), cancellation);
            }
            else
            {
                string host = ApiTable.TextAt(row, "node_name");
                if (!views.TryGetValue(host, out JourneyView? view))
                {
                    views[host] = view = new JourneyView(terminal, host);
                }
                view.Render(trace);
            }
            if (++shown == limit)
            {
                break;
            }
        }
        terminal.Flush();
        return shown;
    }

    private static async Task<string> NodesAsync(ControllerClient client, string[] names, CancellationToken cancellation)
    {
        StringBuilder query = new();
        foreach (string name in names)
        {
            query.Append("&node=").Append(await NodeListCommands.IdAsync(client, name, cancellation));
        }
        return query.ToString();
    }
}
