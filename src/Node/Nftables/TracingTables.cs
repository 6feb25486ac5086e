using System.Globalization;
using System.Text;

namespace NftCluster.Node.Nftables;

/// <summary>One table of ours, as commands that make it anew: a transaction, so that no packet passes between.</summary>
internal sealed record TracingTable(NftFamily Family, string Name, string Chains)
{
    public string Commands => string.Create(
        CultureInfo.InvariantCulture,
        $"add table {NftNames.Of(Family)} {Name} {{ flags owner; }}\ndelete table {NftNames.Of(Family)} {Name}\ntable {NftNames.Of(Family)} {Name} {{ flags owner;\n{Chains}}}\n");
}

/// <summary>
/// The tables that switch nft's trace on for packets. That of inet is always there; a bridge, ARP or a device's own hooks judge packets
/// before it or without it, and get theirs once the user has chains there: until then they would only cost.
/// </summary>
internal sealed class TracingTables(string suffix)
{
    /// <summary>Before conntrack, defragmentation and every chain that a person would write.</summary>
    private const int First = -2_000_000;

    /// <summary>Follows the prefix: whether every packet that meets the table's chains came by a door (bpf/trace_abi.h).</summary>
    private const char Seen = '-';
    private const char Unseen = '_';

    /// <summary>With what it marks; another one of the same name takes its place in one transaction.</summary>
    public TracingTable Inet(TraceMarks marks) => Table(NftFamily.Inet, Seen, suffix, Chain("prerouting", marks.Received), Chain("output", marks.Sent));

    /// <summary>Only who may change a table of ours can take it away, and nobody else may: asked all the same.</summary>
    public bool HasInet(Ruleset ruleset) => ruleset.Tables.Any(table => table is { Family: NftFamily.Inet, IsOurs: true } && table.Name == $"{RulesetTable.OwnPrefix}{Seen}{suffix}");

    /// <summary>What this ruleset needs beyond what of ours is in it.</summary>
    public IEnumerable<TracingTable> MissingIn(Ruleset ruleset)
    {
        RulesetChain[] hooked = [.. ruleset.Chains.Where(chain => chain.Hook is not null && !chain.Table.IsOurs)];
        return Wanted(hooked).Where(table => !IsThere(table, ruleset));
    }

    private IEnumerable<TracingTable> Wanted(RulesetChain[] hooked)
    {
        string[] ingress = DevicesOf(hooked, "ingress");
        string[] egress = DevicesOf(hooked, "egress");
        if (ingress.Length > 0)
        {
            yield return Table(NftFamily.Netdev, Seen, suffix, Chain("ingress", devices: ingress));
        }
        if (egress.Length > 0)
        {
            yield return Table(NftFamily.Netdev, Unseen, suffix, Chain("egress", devices: egress));
        }
        foreach ((NftFamily family, string entry) in new[] { (NftFamily.Bridge, "prerouting"), (NftFamily.Arp, "input") })
        {
            if (Array.Exists(hooked, chain => chain.Table.Family == family))
            {
                yield return Table(family, Seen, suffix, Chain(entry));
                yield return Table(family, Unseen, suffix, Chain("output"));
            }
        }
    }

    /// <summary>Also where a table of inet hooks into a device.</summary>
    private static string[] DevicesOf(RulesetChain[] hooked, string hook) =>
        [.. hooked.Where(chain => chain.Hook!.Hook == hook).SelectMany(chain => chain.Hook!.Devices).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    /// <summary>With every device that it should have: one that went takes its hook along, and its return brings none back.</summary>
    private static bool IsThere(TracingTable table, Ruleset ruleset) => ruleset.Chains.Any(chain =>
        chain.Table.Family == table.Family && chain.Table.Name == table.Name
        && (table.Family != NftFamily.Netdev || table.Chains == Chain(chain.Name, devices: [.. chain.Hook!.Devices.Order(StringComparer.Ordinal)])));

    private static TracingTable Table(NftFamily family, char kind, string suffix, params IEnumerable<string> chains) =>
        new(family, $"{RulesetTable.OwnPrefix}{kind}{suffix}", string.Concat(chains));

    /// <summary>
    /// A rule that marks ends its chain itself: else the kernel would make three messages of it (the rule, the end of the chain, the
    /// policy), each some microseconds.
    /// </summary>
    private static string Chain(string hook, string? rules = null, string[]? devices = null)
    {
        StringBuilder on = new();
        if (devices is not null)
        {
            on.Append(" devices = { ").AppendJoin(", ", devices.Select(device => $"\"{device}\"")).Append(" }");
        }
        return string.Create(CultureInfo.InvariantCulture, $"chain {hook} {{ type filter hook {hook}{on} priority {First}; policy accept; {rules ?? TraceMarks.Mark}}}\n");
    }
}
