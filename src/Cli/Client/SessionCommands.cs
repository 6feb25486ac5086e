using System.CommandLine;
using System.Text.Json;

namespace NftCluster.Cli.Client;

/// <summary><c>nftcluster session</c>: one capture on many routers.</summary>
internal static class SessionCommands
{
    public static ApiColumn[] Columns { get; } =
    [
        new("ID", "id"), new("NAME", "name"), new("STATE", "state"), new("PAUSED", "is_paused"), new("NODES", "nodes"), new("PACKETS", "statistics.total_packets"), new("EVENTS", "statistics.total_events"), new("FILTER", "request.filter"),
        new("MODE", "request.mode", IsWide: true), new("OWNER", "owner", IsWide: true), new("STARTED", "started_at", IsWide: true), new("ENDS", "ends_at", IsWide: true), new("STOPPED", "stopped_at", IsWide: true), new("WHY", "stop_reason", IsWide: true),
    ];

    public static Command Create() => new("session", "Sessions: one capture on many routers.")
    {
        SessionStartCommand.Create(),
        List(),
        One("show", "Show a session and each node's part in it, as JSON.", (client, id, cancellation) => client.GetAsync($"/api/sessions/{id}", cancellation), (output, _, answer) => ApiTable.Write(output, ClientOptions.Json, answer, [])),
        SessionWatchCommand.Create(),
        One("pause", "Pause a session on all nodes: nothing is seen until it is resumed.", (client, id, cancellation) => client.PostAsync($"/api/sessions/{id}/pause", null, cancellation), PrintOne),
        One("resume", "Resume a paused session on all nodes.", (client, id, cancellation) => client.PostAsync($"/api/sessions/{id}/resume", null, cancellation), PrintOne),
        Change(),
        One("stop", "Stop a session on all nodes; what it has seen stays.", (client, id, cancellation) => client.PostAsync($"/api/sessions/{id}/stop", null, cancellation), PrintOne),
        One("rm", "Remove a stopped session and everything that it has stored.", (client, id, cancellation) => client.SendAsync(HttpMethod.Delete, $"/api/sessions/{id}?purge=true", null, cancellation), (_, _, _) => { }),
        SessionExportCommand.Create(),
        SessionExportCommand.Parts(),
    };

    /// <summary>A name that only one session has stands for its id.</summary>
    public static async Task<string> IdAsync(ControllerClient client, string session, CancellationToken cancellation)
    {
        List<string> named = [];
        await foreach (JsonElement row in ApiPages.AllAsync(client, "/api/sessions", cancellation))
        {
            string id = ApiTable.TextAt(row, "id");
            if (id == session)
            {
                return id;
            }
            if (ApiTable.TextAt(row, "name") == session)
            {
                named.Add(id);
            }
        }
        return named.Count switch
        {
            1 => named[0],
            0 => throw new UsageException($"there is no session '{session}': nftcluster session ls"),
            _ => throw new UsageException($"{named.Count} sessions are called '{session}': give one's id, {string.Join(" or ", named.Take(3))}"),
        };
    }

    public static Argument<string> Session() => new("SESSION") { Description = "An id or a name, as `session ls` shows it." };

    public static void PrintOne(TextWriter output, string format, JsonElement answer) => ApiTable.Write(output, format, answer, [answer], Columns);

    private static Command List()
    {
        Option<string?> state = new("--state") { Description = "Only those in this state: RUNNING, STOPPED, FAILED …", HelpName = "STATE" };
        return ClientOptions.Ask("ls", "List the sessions, newest first.", command => command.Options.Add(state), async (parsed, client, cancellation) =>
        {
            List<JsonElement> rows = [];
            await foreach (JsonElement row in ApiPages.AllAsync(client, "/api/sessions", cancellation))
            {
                if (parsed.GetValue(state) is not { } wanted || ApiTable.TextAt(row, "state").Equals(wanted, StringComparison.OrdinalIgnoreCase))
                {
                    rows.Add(row);
                }
            }
            return JsonSerializer.SerializeToElement(rows);
        }, (output, format, answer) => ApiTable.Write(output, format, answer, ApiPages.RowsOf(answer), Columns));
    }

    private static Command Change()
    {
        Argument<string> session = Session();
        Argument<string[]> filter = new("filter") { Description = "pcap-filter(7) expression: replaces the session's while it runs.", Arity = ArgumentArity.ZeroOrMore };
        return ClientOptions.Ask("filter", """
            Replace the filter of a running session on all nodes at once.

            Example:
              nftcluster session filter web host 10.3.0.2 and tcp port 443
            """, command =>
        {
            command.Arguments.Add(session);
            command.Arguments.Add(filter);
        }, async (parsed, client, cancellation) => await client.SendAsync(HttpMethod.Patch, $"/api/sessions/{await IdAsync(client, parsed.GetValue(session)!, cancellation)}",
            new Dictionary<string, string>(StringComparer.Ordinal) { ["filter"] = string.Join(' ', parsed.GetValue(filter) ?? []) }, cancellation), PrintOne);
    }

    private static Command One(string verb, string description, Func<ControllerClient, string, CancellationToken, Task<JsonElement>> ask, Action<TextWriter, string, JsonElement> print)
    {
        Argument<string> session = Session();
        return ClientOptions.Ask(verb, description, command => command.Arguments.Add(session),
            async (parsed, client, cancellation) => await ask(client, await IdAsync(client, parsed.GetValue(session)!, cancellation), cancellation), print);
    }
}
