using System.CommandLine;
using NftCluster.Node.Kernel;
using NftCluster.Node.Nftables;
using NftCluster.Node.Nftables.Changes;

namespace NftCluster.Cli.Rules;

/// <summary>The options that several rules commands share: where, and which part of the ruleset.</summary>
internal sealed class RulesPlace
{
    private readonly Option<string?> _netns = TraceOptions.Text("--netns", "NAME", "Network namespace: a name, a path or a process id. Default: this one.");
    private readonly Option<string?> _family = TraceOptions.Text("--family", "FAMILY", "Only tables of this family: inet, ip, ip6, arp, bridge or netdev.");
    private readonly Option<string?> _table = TraceOptions.Text("--table", "NAME", "Only tables of this name.");
    private readonly Option<string?> _chain = TraceOptions.Text("--chain", "NAME", "Only chains of this name.");

    public RulesPlace() => _family.CompletionSources.Add([.. NftNames.Families]);

    public RulesPlace AddNamespaceTo(Command command)
    {
        command.Options.Add(_netns);
        return this;
    }

    public RulesPlace AddTo(Command command)
    {
        foreach (Option<string?> option in new[] { _netns, _family, _table, _chain })
        {
            command.Options.Add(option);
        }
        return this;
    }

    public string PathOf(ParseResult parsed) => parsed.GetValue(_netns) switch
    {
        null => NetworkNamespace.Own,
        "all" => throw new UsageException("a ruleset belongs to one namespace: give --netns a name, a path or a process id"),
        var name => NetworkNamespace.Resolve(name),
    };

    /// <summary>As it must be said again in the next command.</summary>
    public string Words(ParseResult parsed) => parsed.GetValue(_netns) is { } name ? $" --netns {name}" : "";

    /// <summary>As the user named it, for the log.</summary>
    public string NameOf(ParseResult parsed) => parsed.GetValue(_netns) ?? RulesetChanger.OwnNamespace;

    /// <summary>What of the ruleset is wanted, NftCluster's own tables left out. Nothing of that name is an error: a typing mistake shows.</summary>
    public Ruleset Narrow(ParseResult parsed, Ruleset ruleset)
    {
        (string? family, string? table, string? chain) = (FamilyOf(parsed), parsed.GetValue(_table), parsed.GetValue(_chain));
        Ruleset all = ruleset.WithoutOurs();
        RulesetTable[] tables = [.. all.Tables.Where(t => (family is null || NftNames.Of(t.Family) == family) && (table is null || t.Name == table))];
        RulesetChain[] chains = [.. all.Chains.Where(c => tables.Contains(c.Table) && (chain is null || c.Name == chain))];
        if (tables.Length == 0 && (family ?? table) is not null)
        {
            throw new RuleChangeException($"there is no table {family}{(family is null || table is null ? "" : " ")}{table}: there {Listed(all.Tables)}");
        }
        if (chains.Length == 0 && chain is not null)
        {
            throw new RuleChangeException($"there is no chain {chain} in {(table is null ? "any table" : table)}: there {Listed(all.Chains.Where(c => tables.Contains(c.Table)))}");
        }
        return new Ruleset(all.Generation, chain is null ? tables : [.. tables.Where(t => chains.Any(c => c.Table == t))], chains);
    }

    public static string Listed<T>(IEnumerable<T> things)
    {
        const int Most = 8;
        string[] names = [.. things.Select(thing => $"{thing}")];
        return names.Length == 0 ? "are none" : $"{(names.Length == 1 ? "is" : "are")} {string.Join(", ", names.Take(Most))}{(names.Length > Most ? " …" : "")}";
    }

    private string? FamilyOf(ParseResult parsed) => parsed.GetValue(_family) is not { } family ? null
        : NftNames.TryFamily(family, out _) ? family
        : throw new UsageException($"--family {family}: give inet, ip, ip6, arp, bridge or netdev");
}
