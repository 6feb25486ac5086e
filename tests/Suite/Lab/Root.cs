using NftCluster.Lab;

namespace NftCluster.Tests.Lab;

/// <summary>What the tests that build real networks share: they need root, and each has a prefix of its own.</summary>
internal static class Root
{
    public static void Required() =>
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root: it makes network namespaces");

    /// <summary>Unlike any other, so that tests of several processes do not sweep each other.</summary>
    public static string NewPrefix() => $"t{Guid.NewGuid():N}"[..12];

    public static LabNetwork Line() => LabNetwork.Up(TopologyFile.Load("line"), NewPrefix());
}
