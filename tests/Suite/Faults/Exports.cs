using NftCluster.Messages;
using NftCluster.Node.Export;

namespace NftCluster.Tests.Faults;

/// <summary>Exports as a user finds them in a directory.</summary>
internal static class Exports
{
    public static IReadOnlyList<string> In(string directory) => [.. Directory.GetFiles(directory, "trace_*.json")];

    public static IReadOnlyList<string> PartialIn(string directory) => [.. Directory.GetFiles(directory, ".trace_*.partial")];

    /// <summary>Reads a file to its end; fails when it is not a whole export.</summary>
    public static (StatisticsRecord Statistics, IReadOnlyList<TraceRecord> Traces) Read(string path)
    {
        using var export = ExportReader.Open(path);
        IReadOnlyList<TraceRecord> traces = [.. export.ReadTraces()];
        Assert.Equal("STOPPED", export.Session!.State);
        Assert.NotNull(export.Session.EndTime);
        Assert.Equal(traces.Count, export.Statistics!.ExportedPackets);
        return (export.Statistics, traces);
    }

    public static int[] PortsOf(IEnumerable<TraceRecord> traces) =>
        [.. traces.Where(t => t.ProtocolName == "UDP").Select(t => (int)t.DstPort!).Distinct().Order()];
}
