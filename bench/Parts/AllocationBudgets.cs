using System.Text.Json;
using BenchmarkDotNet.Reports;

namespace NftCluster.Bench.Parts;

/// <summary>Compares what benchmarks allocated with allocation-budgets.json; time varies between machines, allocation does not.</summary>
internal static class AllocationBudgets
{
    /// <summary>One line per benchmark; false when one is over its budget or has none.</summary>
    public static bool Check(IEnumerable<Summary> summaries, TextWriter output)
    {
        Dictionary<string, long> budgets = JsonSerializer.Deserialize<Dictionary<string, long>>(
            File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "allocation-budgets.json")))!;
        bool all = true;
        foreach (BenchmarkReport report in summaries.SelectMany(s => s.Reports))
        {
            string name = NameOf(report);
            long? bytes = report.GcStats.GetBytesAllocatedPerOperation(report.BenchmarkCase);
            string verdict = !report.Success || bytes is null ? "did not run"
                : !budgets.TryGetValue(name, out long budget) ? "has no budget: add it to bench/allocation-budgets.json"
                : bytes > budget ? $"OVER its budget of {budget:N0} B"
                : $"within {budget:N0} B";
            all &= verdict.StartsWith("within", StringComparison.Ordinal);
            double mean = report.ResultStatistics?.Mean ?? double.NaN;
            output.WriteLine($"| {name} | {mean:N1} ns | {Rates.Of(name, mean)} | {bytes} B | {verdict} |");
        }
        return all;
    }

    private static string NameOf(BenchmarkReport report) =>
        $"{report.BenchmarkCase.Descriptor.Type.Name}.{report.BenchmarkCase.Descriptor.WorkloadMethod.Name}";
}
