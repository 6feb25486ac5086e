using System.CommandLine;

namespace NftCluster.Cli.Client;

/// <summary><c>--where in.ttl=63</c>: any value of a trace by its place in the JSON, as the API's parameter of that name.</summary>
internal static class WhereOption
{
    public static Option<string[]> Create() => new("--where")
    {
        Description = "Only where this value stands at this place of a trace's JSON, e.g. in.ttl=63, events.pid=812, nft_events.ct_id=7; may be given again (all must hold, of one place any).",
        HelpName = "PLACE=VALUE",
    };

    public static string AsQuery(ParseResult parsed, Option<string[]> option) => string.Concat((parsed.GetValue(option) ?? []).Select(text => text.Split('=', 2) switch
    {
        [{ Length: > 0 } place, var value] => $"&{Uri.EscapeDataString(place)}={Uri.EscapeDataString(value)}",
        _ => throw new UsageException($"--where: '{text}' is no condition: give PLACE=VALUE"),
    }));
}
