using System.CommandLine;
using NftCluster.Controller.Cluster;
using NftCluster.Controller.Storage;
using NftCluster.Lab;
using NftCluster.Node.Export;
using NftCluster.Node.Kernel;
using NftCluster.Node.Kernel.Filter;
using NftCluster.Node.Kernel.Symbols;
using NftCluster.Node.Nftables.Changes;
using NftCluster.Node.Spool;
using NftCluster.Node.Uplink;

namespace NftCluster.Cli;

/// <summary>What a user can put right becomes one line on standard error and exit code 1.</summary>
internal static class Failures
{
    public static async Task<int> GuardedAsync(ParseResult parsed, Func<Task<int>> action)
    {
        try
        {
            return await action();
        }
        catch (Exception failure) when (OneLine(failure) is { } line)
        {
            await parsed.InvocationConfiguration.Error.WriteLineAsync($"nftcluster: {line}");
            return 1;
        }
        catch (OperationCanceledException)
        {
            return 0; // Ctrl-C before anything ran
        }
    }

    /// <summary>Null for a bug: that may show its stack.</summary>
    private static string? OneLine(Exception failure) => failure switch
    {
        UsageException or KernelException or FilterException or ExportException or KernelTypesException or LabException or RuleChangeException
            or ClusterException or StorageException or UplinkException or SpoolException => failure.Message,
        TimeoutException late => $"gave up waiting: {late.Message.ReplaceLineEndings(" ")}",
        DllNotFoundException missing => MissingLibrary(missing.Message),
        IOException or UnauthorizedAccessException => failure.Message,
        _ => null,
    };

    private static string MissingLibrary(string message) =>
        message.Contains("libpcap", StringComparison.Ordinal) ? "libpcap is missing: apt-get install libpcap0.8"
        : message.Contains("libbpf", StringComparison.Ordinal) ? "libbpf is missing: apt-get install libbpf1"
        : message.Contains("libnftables", StringComparison.Ordinal) ? "libnftables is missing: apt-get install libnftables1"
        : $"a library is missing: {message.Split('\n')[0]}";
}
