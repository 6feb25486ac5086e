using System.Globalization;
using NftCluster.Messages.Link;
using NftCluster.Node.Kernel;
using NftCluster.Node.Sessions;

namespace NftCluster.Node.Agent;

/// <summary>This host, as the node tells its controller.</summary>
internal static class HostNow
{
    /// <summary>Throws <see cref="KernelException"/> when there is no such namespace.</summary>
    public static Host Read(string? netns) => new()
    {
        Hostname = Environment.MachineName,
        KernelRelease = File.ReadAllText("/proc/sys/kernel/osrelease").Trim(),
        Version = typeof(HostNow).Assembly.GetName().Version?.ToString(3) ?? "0",
        BootId = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim(),
        Netns = SessionWants.PathOf(netns) is { } path ? NetworkNamespace.Inode(path) : 0,
        Cpus = (uint)Environment.ProcessorCount,
        MemoryBytes = MemoryBytes(),
    };

    private static ulong MemoryBytes()
    {
        string? line = File.ReadLines("/proc/meminfo").FirstOrDefault(l => l.StartsWith("MemTotal:", StringComparison.Ordinal));
        return line?.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var kilobytes, ..] && ulong.TryParse(kilobytes, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number) ? number * 1024 : 0;
    }
}
