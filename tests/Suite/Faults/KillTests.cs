using NftCluster.Lab;
using NftCluster.Node.Export;
using NftCluster.Tests.Lab;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Faults;

public sealed class KillTests
{
    public static TheoryData<Moment> EveryMoment => [.. Enum.GetValues<Moment>()];

    [Theory]
    [MemberData(nameof(EveryMoment))]
    public async Task Kill_9_leaves_nothing_in_the_kernel_and_no_half_export(Moment moment)
    {
        Root.Required();
        using QuietNetwork network = new();
        using TempDirectory directory = new();
        HashSet<string> before = KernelObjects.All();
        string ready = directory.File("ready");
        using (var trace = RunningProgram.Start("trace", "--netns", network.Name, "--export", directory.Path, "--summary", "--ready-file", ready))
        {
            await Moments.ReachAsync(moment, trace, directory, ready, network);
            if (moment is Moment.Ready or Moment.Busy)
            {
                // Else the enumeration would find nothing because it sees nothing.
                HashSet<string> held = KernelObjects.HeldBy(trace.Id);
                Assert.NotEmpty(held);
                Assert.Subset(KernelObjects.All(), held);
            }
            trace.Kill();
            await trace.ExitAsync();
        }

        await KernelObjects.GoneAsync(before);
        Assert.All(Exports.In(directory.Path), path => Exports.Read(path));
        AssertNoHalfFile(directory);
        AssertNoTables(network);
        await AssertNextSweepsAsync(network, directory);
    }

    private static async Task AssertNextSweepsAsync(QuietNetwork network, TempDirectory directory)
    {
        using RunningProgram next = await RunningProgram.FinishedAsync("trace", "--netns", network.Name, "--light", "--export", directory.Path, "--summary", "--duration", "10ms", "--name", "next");
        Assert.True(next.Errors.Any(line => line.Contains("exported", StringComparison.Ordinal)), next.Describe());
        Assert.Empty(Exports.PartialIn(directory.Path));
        Assert.Contains(Exports.In(directory.Path), path => path.Contains("_next_", StringComparison.Ordinal));
    }

    private static void AssertNoHalfFile(TempDirectory directory)
    {
        using var unnamed = UnnamedExportFile.TryCreate(directory.Path, "probe");
        if (unnamed is not null)
        {
            Assert.DoesNotContain(directory.Names, name => name.StartsWith('.'));
        }
    }

    private static void AssertNoTables(QuietNetwork network)
    {
        if (File.Exists("/usr/sbin/nft"))
        {
            Assert.Equal("", Tool.Run("ip", ["netns", "exec", network.Name, "/usr/sbin/nft", "list", "tables"]).Output);
        }
    }
}
