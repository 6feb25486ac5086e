using NftCluster.Node.Kernel;

namespace NftCluster.Node.Nftables;

/// <summary>Whether counters and the like are part of the text.</summary>
internal enum RuleTexts
{
    /// <summary>Without what packets change (counters, quotas): the same rule has the same text as long as nobody edits it.</summary>
    Stateless,

    /// <summary>As <c>nft -a list ruleset</c> prints it now.</summary>
    Stateful,
}

/// <summary>Reads whole generations; used on one thread, whose namespace it reads.</summary>
internal sealed class RulesetReader : IDisposable
{
    private readonly NftNetlink _netlink = new();

    public GenerationConfirmed AskGeneration() => _netlink.AskGeneration();

    /// <summary>Null when the generation changed while it was read: what was read then may be of both.</summary>
    public RulesetRead? TryRead(RuleTexts texts)
    {
        uint before = _netlink.AskGeneration().Generation;
        _netlink.AwaitCommit();
        if (RulesetStructure.Dump(_netlink) is not { } structure)
        {
            return null;
        }
        // Terse: elements of named sets are no part of any rule's text, and there may be a million of them.
        NftResult listing = List(NftOutput.Handles | NftOutput.Terse | (texts == RuleTexts.Stateless ? NftOutput.Stateless : NftOutput.None));
        GenerationConfirmed after = _netlink.AskGeneration();
        if (after.Generation != before)
        {
            return null; // also why a listing may have failed
        }
        return listing.Ok ? new RulesetRead(Build(before, structure, listing.Output), after.AskedNs, after.AnsweredNs) : throw Unlisted(listing);
    }

    /// <summary>Reads until nobody changed it meanwhile.</summary>
    public Ruleset Read(RuleTexts texts)
    {
        const int MostTries = 50;
        for (int i = 0; i < MostTries; i++)
        {
            if (TryRead(texts) is { } read)
            {
                return read.Ruleset;
            }
        }
        throw new KernelException("the ruleset changes faster than it can be read: try again when the reloads are over");
    }

    /// <summary>One read of the namespace at this path, or of this one.</summary>
    public static Ruleset ReadOnce(string? netnsPath, RuleTexts texts)
    {
        Ruleset Read()
        {
            using RulesetReader reader = new();
            return reader.Read(texts);
        }
        return netnsPath is null ? Read() : NetworkNamespace.Run(netnsPath, Read);
    }

    /// <summary>The listing as nft prints it, of whatever generation is in force.</summary>
    public static string Print(NftOutput output) => List(output) is var listing && listing.Ok ? listing.Output : throw Unlisted(listing);

    public void Dispose() => _netlink.Dispose();

    private static NftResult List(NftOutput output)
    {
        // A context of its own each time: within one generation the library would repeat what it read before, counters included.
        using var nft = NftContext.Open();
        return nft.Run("list ruleset", output);
    }

    private static KernelException Unlisted(NftResult listing) => new($"the ruleset cannot be listed: {listing.FirstError}");

    private static Ruleset Build(uint generation, RulesetStructure structure, string listing)
    {
        IReadOnlyList<RulesetRule>[] rules = RulesetListing.Texts(structure, listing);
        Dictionary<(NftFamily, string), RulesetTable> tables = structure.Tables.ToDictionary(table => (table.Family, table.Name));
        List<RulesetChain> chains = [];
        for (int i = 0; i < rules.Length; i++)
        {
            RulesetStructure.ChainHead head = structure.Chains[i];
            if (tables.TryGetValue((head.Family, head.Table), out RulesetTable? table))
            {
                chains.Add(new RulesetChain(table, head.Name, head.Handle, head.Hook, head.Comment, rules[i]) { IsOffloaded = head.IsOffloaded });
            }
        }
        return new Ruleset(generation, structure.Tables, chains, structure.Flowtables);
    }
}
