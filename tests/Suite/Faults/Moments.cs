using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Faults;

/// <summary>A point in the life of a trace: seen from outside, so that it is the same on a fast and on a slow machine.</summary>
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

/// <summary>Waits until a trace that was just started comes to a moment.</summary>
internal static class Moments
{
    private const int BusyPackets = 20_000;

    public static async Task ReachAsync(Moment moment, RunningProgram trace, TempDirectory directory, string readyFile, QuietNetwork network)
    {
        Func<bool> reached = moment switch
        {
            Moment.LibrariesLoaded => () => HasLoaded(trace.Id, "libbpf"),
            Moment.FirstMap => () => Holds(trace, "map ", 1),
            Moment.FirstProgram => () => Holds(trace, "prog ", 1),
            Moment.TenthProgram => () => Holds(trace, "prog ", 10),
            Moment.FirstLink => () => Holds(trace, "link ", 1),
            Moment.ExportBegun => () => Exports.PartialIn(directory.Path).Count + Unnamed.HeldBy(trace.Id, directory.Path) > 0,
            _ => () => File.Exists(readyFile),
        };
        await Eventually.HoldsAsync(() => trace.HasExited || reached(), () => $"{moment}: {trace.Describe()}");
        Assert.False(trace.HasExited, trace.Describe());
        if (moment is Moment.Busy or Moment.Stopping)
        {
            network.Flood(BusyPackets);
        }
        if (moment is Moment.Stopping)
        {
            trace.Signal(RunningProgram.Interrupt);
        }
    }

    private static bool HasLoaded(int pid, string library)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/maps").Contains(library, StringComparison.Ordinal);
        }
        catch (IOException)
        {
            // It ended meanwhile: who waits looks for that, too.
            return false;
        }
    }

    private static bool Holds(RunningProgram trace, string kind, int count) =>
        KernelObjects.HeldBy(trace.Id).Count(o => o.StartsWith(kind, StringComparison.Ordinal)) >= count;
}
