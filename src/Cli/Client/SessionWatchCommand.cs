using System.CommandLine;
using System.Text.Json;

namespace NftCluster.Cli.Client;

/// <summary><c>nftcluster session watch</c>: a line whenever something has changed, until the session is over or Ctrl-C.</summary>
internal static class SessionWatchCommand
{
    private static readonly TimeSpan _every = TimeSpan.FromSeconds(1);
    private static readonly string[] _over = ["STOPPED", "FAILED"];

    public static Command Create()
    {
        Command command = new("watch", """
            Follow a session: its state, its nodes, packets, events and losses, a line for each change. Ctrl-C ends the watching, not the session.

            Example:
              nftcluster session watch web
            """);
        Argument<string> session = SessionCommands.Session();
        command.Arguments.Add(session);
        ClientOptions options = new ClientOptions().AddTo(command);
        command.SetAction((parsed, cancellation) => Failures.GuardedAsync(parsed, async () =>
        {
            using ControllerClient client = options.Open(parsed);
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            using var interrupt = System.Runtime.InteropServices.PosixSignalRegistration.Create(System.Runtime.InteropServices.PosixSignal.SIGINT, signal =>
            {
                signal.Cancel = true;
                stop.Cancel();
            });
            string id = await SessionCommands.IdAsync(client, parsed.GetValue(session)!, stop.Token);
            await FollowAsync(client, id, parsed.InvocationConfiguration.Output, options.FormatOf(parsed), stop.Token);
            return 0;
        }));
        return command;
    }

    private static async Task FollowAsync(ControllerClient client, string id, TextWriter output, string format, CancellationToken cancellation)
    {
        using PeriodicTimer timer = new(_every);
        string last = "";
        do
        {
            JsonElement view = await client.GetAsync($"/api/sessions/{id}", cancellation);
            string line = format == ClientOptions.Json ? JsonSerializer.Serialize(view) : Line(view);
            if (line != last)
            {
                await output.WriteLineAsync((last = line).AsMemory(), cancellation);
            }
            if (_over.Contains(ApiTable.TextAt(view, "state"), StringComparer.Ordinal))
            {
                return;
            }
        }
        while (await timer.WaitForNextTickAsync(cancellation));
    }

    private static string Line(JsonElement view)
    {
        IEnumerable<JsonElement> nodes = view.TryGetProperty("nodes", out JsonElement all) && all.ValueKind == JsonValueKind.Array ? all.EnumerateArray() : [];
        long lost = view.TryGetProperty("statistics", out JsonElement statistics) && statistics.ValueKind == JsonValueKind.Object && statistics.TryGetProperty("losses", out JsonElement losses)
            ? losses.EnumerateArray().Sum(loss => loss.GetProperty("count").GetInt64()) : 0;
        string paused = ApiTable.TextAt(view, "is_paused") == "yes" ? " (paused)" : "";
        return $"{ApiTable.TextAt(view, "state")}{paused}  {ApiTable.TextAt(view, "statistics.total_packets")} packets, {ApiTable.TextAt(view, "statistics.total_events")} events, {lost} lost  "
            + string.Join("  ", nodes.Select(node => $"{ApiTable.TextAt(node, "node_name")} {ApiTable.TextAt(node, "state")}{(ApiTable.TextAt(node, "is_connected") == "yes" ? "" : " (away)")}"));
    }
}
