using System.Runtime.InteropServices;
using NftCluster.Node.Kernel.Probes;

namespace NftCluster.Bench.Kernel;

/// <summary><c>empty PROBES READY-FILE</c>: holds empty programs on these tracepoints until it is ended, two minutes at most.</summary>
internal static class EmptyCommand
{
    private static readonly TimeSpan _longest = TimeSpan.FromMinutes(2);

    public static int Run(string probes, string readyFile)
    {
        if (!ProbeSelection.TryParse(probes, out IReadOnlyList<ProbeDefinition> rows, out string? error))
        {
            Console.Error.WriteLine($"bench: {error}");
            return 1;
        }
        using ManualResetEventSlim end = new();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => End(signal, end));
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => End(signal, end));
        using var programs = EmptyPrograms.Attach(rows);
        File.WriteAllText(readyFile, $"{programs.Count}\n");
        end.Wait(_longest);
        return 0;
    }

    private static void End(PosixSignalContext signal, ManualResetEventSlim end)
    {
        signal.Cancel = true;
        end.Set();
    }
}
