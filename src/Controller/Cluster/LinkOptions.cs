using NftCluster.Messages.Link;

namespace NftCluster.Controller.Cluster;

/// <summary>The bounds of a link, as this controller keeps them.</summary>
internal sealed record LinkOptions
{
    public const string SubProtocol = "nftcluster-link";

    /// <summary>The versions of the protocol that this controller speaks.</summary>
    public const uint OldestProtocol = 1;
    public const uint NewestProtocol = 1;

    /// <summary>A whole frame: the largest payload and what stands around it.</summary>
    public const int MostFrameBytes = DataFrame.MostPayloadBytes + (64 << 10);

    /// <summary>Bytes of payload, packed, that a node may have under way: 200 nodes that all use it are 100 MiB here.</summary>
    public long CreditBytes { get; init; } = 512 << 10;

    /// <summary>Bytes before compression that are held unpacked, of all nodes together; as objects they are several times that.</summary>
    public long UnpackedBytes { get; init; } = 16 << 20;

    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Without a word for this long a node is stale.</summary>
    public TimeSpan StaleAfter { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Without a word for this long its connection is given up.</summary>
    public TimeSpan GoneAfter { get; init; } = TimeSpan.FromSeconds(45);

    /// <summary>How long a connection may stay without its Hello.</summary>
    public TimeSpan HelloPatience { get; init; } = TimeSpan.FromSeconds(10);

    public TimeSpan CommitPatience { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>After a commit that failed (a full disk): the node keeps everything meanwhile.</summary>
    public TimeSpan CommitRetry { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The newest version in common; null = none.</summary>
    public static uint? Choose(uint oldest, uint newest)
    {
        uint best = Math.Min(newest, NewestProtocol);
        return oldest <= newest && best >= Math.Max(oldest, OldestProtocol) ? best : null;
    }
}
