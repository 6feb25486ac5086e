using NftCluster.Node.Kernel;
using NftCluster.Node.Spool;
using NftCluster.Node.Uplink;

namespace NftCluster.Node.Agent;

/// <summary>A node's configuration, checked.</summary>
internal sealed record AgentOptions
{
    public required ControllerAddress Controller { get; init; }

    /// <summary>Only needed to join: null once there is an identity.</summary>
    public Messages.Link.JoinToken? Token { get; init; }

    public required string Name { get; init; }

    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The network namespace that this node is the router of; null = its own.</summary>
    public string? Netns { get; init; }

    public required string StateDirectory { get; init; }

    public required SpoolOptions Spool { get; init; }

    public Backend? Backend { get; init; }

    public uint RingBytes { get; init; } = 16 << 20;

    /// <summary>Let the controller's admins change this host's ruleset.</summary>
    public bool AllowsChanges { get; init; }

    /// <summary>Where changes are kept, as for <c>nftcluster rules</c> on this host, whose undo so knows them.</summary>
    public string ChangesDirectory { get; init; } = Nftables.Changes.ChangeStore.DefaultDirectory;

    /// <summary>Follow a controller with another database although sessions of the old one run.</summary>
    public bool Adopts { get; init; }
}
