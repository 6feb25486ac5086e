using NftCluster.Node.Kernel.Probes;

namespace NftCluster.Node.Pipeline;

/// <summary>What the pipeline has to know of each probe, indexed by its number in the catalog.</summary>
internal sealed class ProbeFacts
{
    private readonly ProbeRole[] _roles;
    private readonly bool[] _delivers;
    private readonly bool[] _localStack;
    private readonly bool[] _chainReturns;

    public ProbeFacts(IReadOnlyList<ProbeDefinition> catalog)
    {
        Catalog = catalog;
        _roles = [.. catalog.Select(p => p.Role)];
        _chainReturns = [.. catalog.Select(p => p is { Kind: ProbeKind.Return, Name: "nft_do_chain" })];
        _delivers = [.. catalog.Select(p => p.Delivers)];
        _localStack = [.. catalog.Select(p => p.Step is "INPUT" or "local" or "transport" && string.Equals(p.Direction, "inbound", StringComparison.Ordinal))];
    }

    public IReadOnlyList<ProbeDefinition> Catalog { get; }

    public int Count => _roles.Length;

    public ProbeRole Role(ushort probe) => probe < _roles.Length ? _roles[probe] : ProbeRole.Step;

    /// <summary>A base chain of nft has said its word.</summary>
    public bool IsChainReturn(ushort probe) => probe < _chainReturns.Length && _chainReturns[probe];

    /// <summary>The packet's data reached a socket or its reader.</summary>
    public bool Delivers(ushort probe) => probe < _delivers.Length && _delivers[probe];

    /// <summary>The packet was handed to this host's own stack.</summary>
    public bool IsLocalStack(ushort probe) => probe < _localStack.Length && _localStack[probe];
}
