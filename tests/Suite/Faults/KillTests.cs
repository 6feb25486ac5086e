using NftCluster.Lab;
using NftCluster.Tests.Lab;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Faults;

/// <summary>When a trace is killed: seen from outside, so that it is the same moment on a fast and on a slow machine.</summary>
public enum Moment
{
    LibrariesLoaded,
    FirstMap,
    FirstProgram,
    TenthProgram,
    FirstLink,
    ExportBegun,
    Ready,
    Busy,
    Stopping,
}

public sealed class KillTests
{
    public static TheoryData<Moment> Moments => [.. Enum.GetValues<Moment>()];

    [Theory]
    [MemberData(nameof(Moments))]
    public async Task Kill_9_leaves_nothing_in_the_kernel_and_no_half_export(Moment moment)
    {
        Root.Required();
        using QuietNetwork network = new();
        using TempDirectory directory = new();
        HashSet<string> before = KernelObjects.All();
        string ready = directory.File("ready");
        using (var trace = RunningProgram.Start("trace", "--netns", network.Name, "--export", directory.Path, "--summary", "--ready-file", ready))
        {
            await ReachAsync(moment, trace, directory, ready, network);
            trace.Kill();
            await trace.ExitAsync();
        }

        await KernelObjects.GoneAsync(before);
        Assert.All(Exports.In(directory.Path), path => Exports.Read(path));
        AssertNoTables(network);
        await AssertNextSweepsAsync(network, directory);
    }

    private static async Task ReachAsync(Moment moment, RunningProgram trace, TempDirectory directory, string ready, QuietNetwork network)
    {
        Func<bool> reached = moment switch
        {
            Moment.LibrariesLoaded => () => File.ReadAllText($"/proc/{trace.Id}/maps").Contains("libbpf", StringComparison.Ordinal),
            Moment.FirstMap => () => Holds(trace, "map ", 1),
            Moment.FirstProgram => () => Holds(trace, "prog ", 1),
            Moment.TenthProgram => () => Holds(trace, "prog ", 10),
            Moment.FirstLink => () => Holds(trace, "link ", 1),
            Moment.ExportBegun => () => Exports.PartialIn(directory.Path).Count > 0,
            _ => () => File.Exists(ready),
        };
        await Eventually.HoldsAsync(() => trace.HasExited || reached(), () => $"{moment}: {trace.Describe()}");
        Assert.False(trace.HasExited, trace.Describe());
        if (moment is Moment.Busy or Moment.Stopping)
        {
            network.Flood(20_000);
        }
        if (moment is Moment.Stopping)
        {
            trace.Signal(RunningProgram.Interrupt);
        }
    }

    private static bool Holds(RunningProgram trace, string kind, int count) =>
        KernelObjects.HeldBy(trace.Id).Count(o => o.StartsWith(kind, StringComparison.Ordinal)) >= count;

    private static async Task AssertNextSweepsAsync(QuietNetwork network, TempDirectory directory)
    {
        using RunningProgram next = await RunningProgram.FinishedAsync("trace", "--netns", network.Name, "--light", "--export", directory.Path, "--summary", "--duration", "10ms", "--name", "next");
        Assert.True(next.Errors.Any(line => line.Contains("exported", StringComparison.Ordinal)), next.Describe());
        Assert.Empty(Exports.PartialIn(directory.Path));
        Assert.Contains(Exports.In(directory.Path), path => path.Contains("_next_", StringComparison.Ordinal));
    }

    private static void AssertNoTables(QuietNetwork network)
    {
        if (File.Exists("/usr/sbin/nft"))
        {
            Assert.Equal("", Tool.Run("ip", ["netns", "exec", network.Name, "/usr/sbin/nft", "list", "tables"]).Output);
        }
    }
}
