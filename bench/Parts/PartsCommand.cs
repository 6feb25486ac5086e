using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace NftCluster.Bench.Parts;

/// <summary><c>parts [filter]</c>: the benchmarks whose name contains the filter, their rates and allocation budgets; memory: that of an open trace.</summary>
internal static class PartsCommand
{
    private static readonly Type[] _benchmarks =
        [typeof(PipelineBenchmarks), typeof(SymbolBenchmarks), typeof(ExportBenchmarks), typeof(FilterBenchmarks), typeof(ActorBenchmarks)];

    public static int Run(string? filter)
    {
        TextWriter output = Console.Out;
        bool onlyMemory = string.Equals(filter, "memory", StringComparison.OrdinalIgnoreCase);
        Summary[] summaries = onlyMemory ? [] : [.. BenchmarkSwitcher.FromTypes(_benchmarks).Run(["--filter", $"*{filter}*"], Config())];
        output.WriteLine();
        output.WriteLine("| part | per operation | rate | allocated | budget |");
        output.WriteLine("|---|---|---|---|---|");
        bool within = AllocationBudgets.Check(summaries, output);
        if (filter is null || onlyMemory)
        {
            double bytes = OpenTraceMemory.BytesPerTrace();
            bool fits = bytes <= OpenTraceMemory.Budget;
            output.WriteLine($"| an open ten-event trace | | | {bytes:N0} B | {(fits ? "within" : "OVER its budget of")} {OpenTraceMemory.Budget:N0} B |");
            within &= fits;
        }
        if (summaries.Length == 0 && !onlyMemory)
        {
            Console.Error.WriteLine($"bench: no part is named '{filter}': give Pipeline, Symbol, Export, Filter, Actor, a method's name or memory");
        }
        return within && (summaries.Length > 0 || onlyMemory) ? 0 : 1;
    }

    /// <summary>In this process: no project is generated and built for each benchmark, and setups can say what their units are.</summary>
    private static ManualConfig Config() => ManualConfig.CreateEmpty()
        .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
        .AddDiagnoser(MemoryDiagnoser.Default)
        .AddColumnProvider(DefaultColumnProviders.Instance)
        .AddLogger(ConsoleLogger.Default)
        .WithArtifactsPath(Path.Combine(AppContext.BaseDirectory, "results"));
}
