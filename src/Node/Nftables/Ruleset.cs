namespace NftCluster.Node.Nftables;

/// <summary>Where a rule is: what a verdict of the kernel names.</summary>
internal readonly record struct RulePlace(NftFamily Family, string Table, string Chain, ulong Handle)
{
    public override string ToString() => $"{NftNames.Of(Family)} {Table} {Chain}" + (Handle == 0 ? "" : $" handle {Handle}");
}

/// <summary>A table as it was in one generation.</summary>
internal sealed record RulesetTable(NftFamily Family, string Name, ulong Handle, uint Flags, uint OwnerPort, string? Comment)
{
    private const uint FlagDormant = 1;
    private const uint FlagOwner = 2;

    /// <summary>Tables with such names are NftCluster's own tracing: no part of what the user has set up.</summary>
    public const string OwnPrefix = "nftcluster";

    /// <summary>Only the process with this netlink socket may change it; the kernel refuses everybody else.</summary>
    public bool IsOwned => (Flags & FlagOwner) != 0;

    public bool IsDormant => (Flags & FlagDormant) != 0;

    public bool IsOurs => Name.StartsWith(OwnPrefix, StringComparison.Ordinal);

    public override string ToString() => $"{NftNames.Of(Family)} {Name}";
}

/// <summary>Where a base chain is hooked in.</summary>
internal sealed record ChainHook(string Type, string Hook, int Priority, string? Policy, IReadOnlyList<string> Devices)
{
    public bool Same(ChainHook? other) =>
        other is not null && Type == other.Type && Hook == other.Hook && Priority == other.Priority && Policy == other.Policy && Devices.SequenceEqual(other.Devices, StringComparer.Ordinal);

    public override string ToString() =>
        $"type {Type} hook {Hook}{(Devices.Count == 0 ? "" : $" devices {{ {string.Join(", ", Devices)} }}")} priority {Priority}{(Policy is null ? "" : $" policy {Policy}")}";
}

/// <summary>Connections that rules put here pass by all chains; offloaded: by the whole host.</summary>
internal sealed record RulesetFlowtable(NftFamily Family, string Table, string Name, IReadOnlyList<string> Devices, bool IsOffloaded);

/// <summary>A chain as it was in one generation; <see cref="Hook"/> only where it is hooked in.</summary>
internal sealed record RulesetChain(RulesetTable Table, string Name, ulong Handle, ChainHook? Hook, string? Comment, IReadOnlyList<RulesetRule> Rules)
{
    /// <summary>Its device judges packets itself.</summary>
    public bool IsOffloaded { get; init; }

    public override string ToString() => $"{Table} {Name}";
}

/// <summary>
/// A rule as it was in one generation: its place in the chain (from 0) and its text as nft prints it.
/// The text is null where the listing could not be read without doubt: no text is better than a wrong one.
/// </summary>
internal sealed record RulesetRule(ulong Handle, int Position, string? Text, string? Comment);

/// <summary>One generation of one namespace's ruleset: never changes, every rule found by its place at once.</summary>
internal sealed class Ruleset
{
    private readonly Dictionary<RulePlace, RulesetChain> _chains = [];
    private readonly Dictionary<RulePlace, RulesetRule> _rules = [];

    public Ruleset(uint generation, IReadOnlyList<RulesetTable> tables, IReadOnlyList<RulesetChain> chains, IReadOnlyList<RulesetFlowtable>? flowtables = null)
    {
        Flowtables = flowtables ?? [];
        Generation = generation;
        Tables = tables;
        Chains = chains;
        foreach (RulesetChain chain in chains)
        {
            _chains[PlaceOf(chain, 0)] = chain;
            foreach (RulesetRule rule in chain.Rules)
            {
                _rules[PlaceOf(chain, rule.Handle)] = rule;
            }
        }
    }

    public static Ruleset Empty { get; } = new(0, [], []);

    public uint Generation { get; }

    public IReadOnlyList<RulesetTable> Tables { get; }

    public IReadOnlyList<RulesetChain> Chains { get; }

    public IReadOnlyList<RulesetFlowtable> Flowtables { get; }

    public int RuleCount => _rules.Count;

    public RulesetChain? FindChain(in RulePlace place) => _chains.GetValueOrDefault(place with { Handle = 0 });

    public RulesetRule? FindRule(in RulePlace place) => _rules.GetValueOrDefault(place);

    public IEnumerable<RulesetChain> ChainsOf(RulesetTable table) => Chains.Where(chain => chain.Table == table);

    /// <summary>The same generation without NftCluster's own tables: what views show.</summary>
    public Ruleset WithoutOurs() => Tables.Any(table => table.IsOurs)
        ? new Ruleset(Generation, [.. Tables.Where(table => !table.IsOurs)], [.. Chains.Where(chain => !chain.Table.IsOurs)], Flowtables)
        : this;

    /// <summary>Generation numbers wrap around.</summary>
    public static bool IsNewer(uint generation, uint than) => unchecked((int)(generation - than)) > 0;

    public static RulePlace PlaceOf(RulesetChain chain, ulong handle) => new(chain.Table.Family, chain.Table.Name, chain.Name, handle);
}
