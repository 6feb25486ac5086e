using NftCluster.Node.Kernel.Filter;

namespace NftCluster.Node.Nftables;

/// <summary>Where nft's verdicts come from: a function that is probed (<see cref="NftFunctionTrace"/>), or netlink (<see cref="NftNetlinkTrace"/>).</summary>
internal interface INftSource : IDisposable
{
    /// <summary>Of the program that writes the verdicts, for the kernel's count of its misses; −1 = none.</summary>
    public int ProgramFd { get; }

    /// <summary>Called with each ruleset that is read: what must stand in it stands, or is made anew.</summary>
    public Following Follow(Ruleset ruleset);

    /// <summary>What this session's filters can match: who marks packets marks those; none when the session has ended.</summary>
    public void Mark(int session, params IReadOnlyList<IReadOnlyList<FilterNode>> filters);

    /// <summary>Verdicts that the kernel had and could not hand over.</summary>
    public long MessagesLost { get; }
}
