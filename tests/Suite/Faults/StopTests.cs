using NftCluster.Tests.Lab;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Faults;

public sealed class StopTests
{
    [Theory]
    [InlineData(RunningProgram.HangUp)]
    [InlineData(RunningProgram.Interrupt)]
    [InlineData(RunningProgram.Terminate)]
    public async Task A_signal_stops_the_trace_which_exports_and_exits_0(int signal)
    {
        Root.Required();
        using QuietNetwork network = new();
        using TempDirectory directory = new();
        string ready = directory.File("ready");
        HashSet<string> before = KernelObjects.All();
        using var trace = RunningProgram.Start("trace", "--netns", network.Name, "--export", directory.Path, "--summary", "--ready-file", ready, "udp");
        await Eventually.HoldsAsync(() => trace.HasExited || File.Exists(ready), trace.Describe);
        network.SendToPorts(20_001, 100);

        trace.Signal(signal);

        Assert.True(await trace.ExitAsync() == 0, trace.Describe());
        Assert.Equal(Enumerable.Range(20_001, 100), Exports.PortsOf(Exports.Read(Assert.Single(Exports.In(directory.Path))).Traces));
        Assert.Empty(Exports.PartialIn(directory.Path));
        await KernelObjects.GoneAsync(before);
    }

    [Theory]
    [InlineData(Moment.FirstMap)]
    [InlineData(Moment.TenthProgram)]
    [InlineData(Moment.FirstLink)]
    [InlineData(Moment.ExportBegun)]
    public async Task Ctrl_C_during_start_up_exits_0_and_leaves_nothing(Moment moment)
    {
        Root.Required();
        using QuietNetwork network = new();
        using TempDirectory directory = new();
        string ready = directory.File("ready");
        HashSet<string> before = KernelObjects.All();
        using var trace = RunningProgram.Start("trace", "--netns", network.Name, "--export", directory.Path, "--summary", "--ready-file", ready);
        await Moments.ReachAsync(moment, trace, directory, ready, network);

        trace.Signal(RunningProgram.Interrupt);

        Assert.True(await trace.ExitAsync() == 0, trace.Describe());
        Assert.Empty(Exports.PartialIn(directory.Path));
        Assert.All(Exports.In(directory.Path), path => Exports.Read(path));
        await KernelObjects.GoneAsync(before);
    }

    [Theory]
    [InlineData("--json", 1)]
    [InlineData("", 3)]
    public async Task A_reader_that_has_seen_enough_ends_the_trace_with_0_and_its_export(string option, int lines)
    {
        Root.Required();
        using QuietNetwork network = new();
        using TempDirectory directory = new();
        string ready = directory.File("ready");
        using var pipe = RunningProgram.StartOther(
            "bash", "-c", $"set -o pipefail; '{RunningProgram.Executable}' trace --netns {network.Name} {option} --export {directory.Path} --ready-file {ready} udp | head -{lines}");
        await Eventually.HoldsAsync(() => pipe.HasExited || File.Exists(ready), pipe.Describe);

        // The reader's end is noticed at the next write, so packets go on coming.
        await Eventually.HoldsAsync(
            () =>
            {
                network.SendToPorts(20_001, 10);
                return pipe.HasExited;
            },
            pipe.Describe);

        Assert.True(await pipe.ExitAsync() == 0, pipe.Describe());
        Assert.Equal(lines, pipe.Output.Count);
        Exports.Read(Assert.Single(Exports.In(directory.Path)));
    }

    [Fact]
    public async Task Max_packets_ends_the_trace_by_itself_after_exactly_so_many()
    {
        Root.Required();
        using QuietNetwork network = new();
        using TempDirectory directory = new();
        string ready = directory.File("ready");
        using var trace = RunningProgram.Start("trace", "--netns", network.Name, "--max-packets", "20", "--json", "--ready-file", ready, "udp");
        await Eventually.HoldsAsync(() => trace.HasExited || File.Exists(ready), trace.Describe);

        network.SendToPorts(20_001, 100);

        Assert.True(await trace.ExitAsync() == 0, trace.Describe());
        Assert.Equal(20, trace.Output.Count);
    }

    [Fact]
    public async Task Duration_ends_the_trace_by_itself_and_an_empty_session_says_so()
    {
        Root.Required();
        using QuietNetwork network = new();

        using RunningProgram trace = await RunningProgram.FinishedAsync("trace", "--netns", network.Name, "--duration", "100ms", "--light", "--json", "udp");

        Assert.True(await trace.ExitAsync() == 0, trace.Describe());
        Assert.Contains(trace.Errors, line => line.Contains("saw no packets", StringComparison.Ordinal));
    }
}
