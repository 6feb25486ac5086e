namespace NftCluster.Node.Nftables;

/// <summary>What became of tracing with a ruleset that was read.</summary>
internal enum Following
{
    /// <summary>Read before our own last change: it says nothing of what is missing now, and another reading is on its way.</summary>
    Outdated,

    /// <summary>Whatever must stand in it stood, or cannot be had.</summary>
    Stood,

    /// <summary>Something was missing and is there from now on: until now, packets can have been judged unseen.</summary>
    Remade,
}

/// <summary>
/// What we change in a namespace's ruleset ourselves, and which readings are too old to show it. Opened and used in the network namespace
/// of the calling thread; what owns a table by the kernel's flag goes when this does.
/// </summary>
internal sealed class OwnChanges : IDisposable
{
    private readonly NftContext _context;
    private readonly NftNetlink _netlink;
    private uint? _last;

    private OwnChanges(NftContext context, NftNetlink netlink) => (_context, _netlink) = (context, netlink);

    /// <summary>What ended processes of ours left is swept first.</summary>
    public static OwnChanges Open()
    {
        var context = NftContext.Open();
        try
        {
            LeftoverTables.Sweep(context);
            return new OwnChanges(context, new NftNetlink());
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }

    /// <summary>All commands as one transaction.</summary>
    public NftResult Run(string commands)
    {
        NftResult result = _context.Run(commands);
        if (result.Ok)
        {
            _last = _netlink.AskGeneration().Generation;
        }
        return result;
    }

    /// <summary>False for a reading that another one will follow: the generation has moved since.</summary>
    public bool AreIn(Ruleset ruleset) => _last is not { } last || !Ruleset.IsNewer(last, ruleset.Generation);

    public void Dispose()
    {
        _netlink.Dispose();
        _context.Dispose();
    }
}
