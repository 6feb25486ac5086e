using System.CommandLine;
using System.Text.Json;

namespace NftCluster.Cli.Client;

/// <summary><c>nftcluster node ls|show|ruleset|revoke</c>: the routers of the cluster.</summary>
internal static class NodeListCommands
{
    private static readonly ApiColumn[] _columns =
    [
        new("NAME", "name"), new("STATE", "state"), new("KERNEL", "kernel_release"), new("CPU %", "load.cpu_percent"), new("EVENTS/S", "load.events_per_second"), new("SPOOL BYTES", "spool.bytes"), new("PROBLEM", "problem"),
        new("ID", "id", IsWide: true), new("LABELS", "labels", IsWide: true), new("ADDRESS", "remote_address", IsWide: true), new("LAST SEEN", "last_seen", IsWide: true),
        new("CLOCK NS", "clock_offset_ns", IsWide: true), new("± NS", "clock_bound_ns", IsWide: true), new("CERTIFICATE ENDS", "certificate_ends", IsWide: true),
    ];

    public static IEnumerable<Command> Create() => [List(), Show(), Ruleset(), Revoke()];

    private static Command List() => ClientOptions.Ask("ls", "List the nodes: state, load, spool, and what is wrong.", _ => { },
        (_, client, cancellation) => client.GetAsync("/api/nodes", cancellation), (output, format, answer) => ApiTable.Write(output, format, answer, ApiPages.RowsOf(answer), _columns));

    private static Command Show()
    {
        Argument<string> node = Node();
        return ClientOptions.Ask("show", "Show everything about one node, as JSON.", command => command.Arguments.Add(node),
            async (parsed, client, cancellation) => await client.GetAsync($"/api/nodes/{await IdAsync(client, parsed.GetValue(node)!, cancellation)}", cancellation),
            (output, _, answer) => ApiTable.Write(output, ClientOptions.Json, answer, []));
    }

    private static Command Ruleset()
    {
        Argument<string> node = Node();
        Option<long?> generation = new("--generation") { Description = "The generation that a verdict names. Default: the one in force.", HelpName = "N" };
        return ClientOptions.Ask("ruleset", "Show a node's nftables ruleset with handles, as JSON; also an earlier generation that a running session has read.", command => { command.Arguments.Add(node); command.Options.Add(generation); },
            async (parsed, client, cancellation) => await client.GetAsync($"/api/nodes/{await IdAsync(client, parsed.GetValue(node)!, cancellation)}/ruleset{(parsed.GetValue(generation) is { } number ? $"?generation={number}" : "")}", cancellation),
            (output, _, answer) => ApiTable.Write(output, ClientOptions.Json, answer, []));
    }

    private static Command Revoke()
    {
        Argument<string> node = Node();
        return ClientOptions.Ask("revoke", "Revoke a node's certificate: its connection ends at once, and it never comes back with that key (admins only).", command => command.Arguments.Add(node),
            async (parsed, client, cancellation) => await client.PostAsync($"/api/nodes/{await IdAsync(client, parsed.GetValue(node)!, cancellation)}/revoke", null, cancellation),
            (output, format, answer) => ApiTable.Write(output, format, answer, [answer], _columns));
    }

    private static Argument<string> Node() => new("NODE") { Description = "A name or an id, as `node ls` shows it." };

    /// <summary>A name that two nodes have is refused: ids are unique.</summary>
    public static async Task<string> IdAsync(ControllerClient client, string node, CancellationToken cancellation)
    {
        JsonElement nodes = await client.GetAsync("/api/nodes", cancellation);
        JsonElement[] found = [.. ApiPages.RowsOf(nodes).Where(row => ApiTable.TextAt(row, "id") == node || ApiTable.TextAt(row, "name") == node)];
        return found.Length switch
        {
            1 => ApiTable.TextAt(found[0], "id"),
            0 => throw new UsageException($"there is no node '{node}': nftcluster node ls"),
            _ => throw new UsageException($"{found.Length} nodes are called '{node}': give an id (nftcluster node ls -o wide)"),
        };
    }
}
