using System.Text.Json;
using NftCluster.Tests.Lab;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Faults;

public sealed class FilterFileTests
{
    [Fact]
    public async Task A_filter_replaced_while_running_holds_from_then_on_a_broken_one_never_and_nothing_is_attached_anew()
    {
        Root.Required();
        using QuietNetwork network = new();
        using TempDirectory directory = new();
        string filter = directory.File("filter");
        string ready = directory.File("ready");
        Write(filter, "udp dst portrange 21000-21999");
        using var trace = RunningProgram.Start("trace", "--netns", network.Name, "--json", "--filter-file", filter, "--ready-file", ready);
        await Eventually.HoldsAsync(() => trace.HasExited || File.Exists(ready), trace.Describe);
        int[] programs = KernelObjects.ProgramsOf(trace.Id);

        network.SendToPorts(21_000, 10);
        network.SendToPorts(22_000, 10);
        Write(filter, "udp dst portrange 22000-22999");
        await trace.SaysAsync("filter is now: udp dst portrange 22000-22999");
        network.SendToPorts(21_100, 10);
        network.SendToPorts(22_100, 10);
        Write(filter, "udp dst portrange nonsense and");
        await trace.SaysAsync("filter kept as it was:");
        network.SendToPorts(22_200, 10);

        Assert.NotEmpty(programs);
        Assert.Equal(programs, KernelObjects.ProgramsOf(trace.Id));
        trace.Signal(RunningProgram.Interrupt);
        Assert.True(await trace.ExitAsync() == 0, trace.Describe());
        int[] seen = [.. trace.Output.Select(DestinationPort).Distinct().Order()];
        Assert.Equal([.. Enumerable.Range(21_000, 10), .. Enumerable.Range(22_100, 10), .. Enumerable.Range(22_200, 10)], seen);
    }

    // As an editor does: the reader sees the old text or the new one.
    private static void Write(string path, string text)
    {
        File.WriteAllText($"{path}.new", text);
        File.Move($"{path}.new", path, overwrite: true);
    }

    private static int DestinationPort(string line)
    {
        using var trace = JsonDocument.Parse(line);
        return trace.RootElement.GetProperty("dst_port").GetInt32();
    }
}
