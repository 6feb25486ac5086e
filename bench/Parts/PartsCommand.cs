using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace NftCluster.Bench.Parts;

/// <summary><c>parts [filter]</c>: the benchmarks whose name contains the filter, their rates and allocation budgets, and the memory of an open trace.</summary>
internal static class PartsCommand
{
    private static readonly Type[] _benchmarks =
        [typeof(PipelineBenchmarks), typeof(SymbolBenchmarks), typeof(ExportBenchmarks), typeof(FilterBenchmarks), typeof(ActorBenchmarks)];

    public static int Run(string? filter)
    {
        string pattern = filter is null ? "*" : $"*{filter}*";
        // In this process: no project is generated and built for each benchmark, and setups can say what their units are.
        IConfig config = ManualConfig.CreateEmpty()
            .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
            .AddDiagnoser(MemoryDiagnoser.Default)
            .AddColumnProvider(DefaultColumnProviders.Instance)
            .AddLogger(ConsoleLogger.Default)
            .WithArtifactsPath(Path.Combine(AppContext.BaseDirectory, "results"));
        Summary[] summaries = [.. BenchmarkSwitcher.FromTypes(_benchmarks).Run(["--filter", pattern], config)];
        TextWriter output = Console.Out;
        output.WriteLine();
        output.WriteLine("| part | per operation | rate | allocated | budget |");
        output.WriteLine("|---|---|---|---|---|");
        bool within = AllocationBudgets.Check(summaries, output);
        if (filter is null || "memory".Contains(filter, StringComparison.OrdinalIgnoreCase))
        {
            double bytes = OpenTraceMemory.BytesPerTrace();
            bool fits = bytes <= OpenTraceMemory.Budget;
            output.WriteLine($"| memory of an open ten-event trace | | | {bytes:N0} B | {(fits ? "within" : "OVER its budget of")} {OpenTraceMemory.Budget:N0} B |");
            within &= fits;
        }
        return within ? 0 : 1;
    }
}
