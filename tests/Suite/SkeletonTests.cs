namespace NftCluster.Tests;

public sealed class SkeletonTests
{
    [Fact]
    public void The_suite_runs() => Assert.Equal(4, 2 + 2);
}
