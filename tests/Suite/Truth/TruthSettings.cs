using NftCluster.Node.Kernel;
using NftCluster.Node.Kernel.Probes;

namespace NftCluster.Tests.Truth;

/// <summary>How the truth is tested: the backend to force, and how much traffic (an emulated kernel is ten times slower).</summary>
internal static class TruthSettings
{
    public const string BackendVariable = "NFTCLUSTER_TEST_BACKEND";
    public const string ShortVariable = "NFTCLUSTER_TEST_SHORT";

    public static bool IsShort => Environment.GetEnvironmentVariable(ShortVariable) == "1";

    public static int UdpPackets => IsShort ? 100 : 1000;

    public static int TcpConnections => IsShort ? 20 : 200;

    /// <summary>Of each kind that a router must refuse.</summary>
    public static int Refused => IsShort ? 3 : 10;

    /// <summary>Per second: no queue of the lab overflows, so that each packet goes its whole way.</summary>
    public static double Rate => IsShort ? 200 : 2000;

    /// <summary>One node, with a session per namespace, for all tests; netfilter links belong to one namespace, so not for them.</summary>
    public static bool SharesNode => IsShort && Backend != NftCluster.Node.Kernel.Backend.Netfilter;

    /// <summary>An emulated kernel takes minutes to attach the whole catalog, and each of these tests has a node of its own.</summary>
    public static IReadOnlyList<ProbeDefinition> ProbesForVerdicts => IsShort ? [.. ProbeCatalog.Nft.Union(ProbeCatalog.Five)] : ProbeCatalog.All;

    /// <summary>Null = the best per probe.</summary>
    public static Backend? Backend =>
        Environment.GetEnvironmentVariable(BackendVariable) is not { Length: > 0 } name || name == Backends.Auto ? null
        : Backends.TryParse(name, out Backend backend) ? backend
        : throw new InvalidOperationException($"{BackendVariable}='{name}' is unknown: give auto, {string.Join(", ", Backends.Names)}");

    /// <summary>For the end of a session; an emulated kernel takes its time.</summary>
    public static TimeSpan Patience => TimeSpan.FromMinutes(2);
}

/// <summary>One test at a time: each attaches to the whole kernel and counts what is lost.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class TruthTestGroup
{
    public const string Name = "truth";
}
