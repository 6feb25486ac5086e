using NftCluster.Actors;
using NftCluster.Node.Kernel;
using NftCluster.Node.Kernel.Symbols;
using NftCluster.Node.Nftables;
using NftCluster.Node.Pipeline;

namespace NftCluster.Node.Sessions;

/// <summary>Where a session runs: its bit, its node, and what its node knows, the last ruleset it read among it. <paramref name="Before"/> are the kernel's counts at its start.</summary>
internal sealed record SessionPlace(
    int Bit,
    ActorRef<NodeMessage> Node,
    ActorRef<PollerMessage> Poller,
    KernelCounts Before,
    ProbeFacts Facts,
    DropReasons DropReasons,
    HostFacts Host,
    int Probes,
    bool IsRulesetWatched = false,
    RulesetRead? Ruleset = null);

/// <summary>The host as exports name it. Symbols load in the background: who needs a name first waits for them.</summary>
internal sealed record HostFacts(string Host, string KernelRelease, string Version, TimeProvider Time, Task<KernelSymbols> Symbols)
{
    public static HostFacts Read(TimeProvider time) => new(
        Environment.MachineName,
        File.ReadAllText("/proc/sys/kernel/osrelease").Trim(),
        typeof(HostFacts).Assembly.GetName().Version?.ToString(3) ?? "0",
        time,
        KernelSymbols.LoadInBackground());
}
