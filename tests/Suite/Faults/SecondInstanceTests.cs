using NftCluster.Tests.Lab;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Faults;

public sealed class SecondInstanceTests
{
    [Fact]
    public async Task Two_instances_side_by_side_each_see_every_packet()
    {
        Root.Required();
        using QuietNetwork network = new();
        using TempDirectory directory = new();
        using RunningProgram first = Start("first", network, directory);
        await ReadyAsync(first, directory, "first");
        using RunningProgram second = Start("second", network, directory);
        await ReadyAsync(second, directory, "second");

        network.SendToPorts(20_001, 200);
        first.Signal(RunningProgram.Interrupt);
        Assert.True(await first.ExitAsync() == 0, first.Describe());
        network.SendToPorts(20_201, 200);
        second.Signal(RunningProgram.Interrupt);
        Assert.True(await second.ExitAsync() == 0, second.Describe());

        Assert.Equal(Enumerable.Range(20_001, 200), PortsOf("first", directory));
        Assert.Equal(Enumerable.Range(20_001, 400), PortsOf("second", directory));
    }

    private static RunningProgram Start(string name, QuietNetwork network, TempDirectory directory) => RunningProgram.Start(
        "trace", "--netns", network.Name, "--name", name, "--export", directory.Path, "--summary", "--ready-file", directory.File(name), "udp");

    private static Task ReadyAsync(RunningProgram trace, TempDirectory directory, string name) =>
        Eventually.HoldsAsync(() => trace.HasExited || File.Exists(directory.File(name)), trace.Describe);

    private static int[] PortsOf(string name, TempDirectory directory) =>
        Exports.PortsOf(Exports.Read(Assert.Single(Exports.In(directory.Path), path => path.Contains($"_{name}_", StringComparison.Ordinal))).Traces);
}
