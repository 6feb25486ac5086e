using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using NftCluster.Lab;
using NftCluster.Tests.Faults;

namespace NftCluster.Tests.Truth;

/// <summary><c>nft -a monitor trace</c> in a namespace: the other source that must say the same.</summary>
internal sealed class NftMonitor : IDisposable
{
    private const uint TraceGroup = 1 << 8;

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _lines = [];
    private volatile string _errors = "";

    private NftMonitor(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => _lines.Enqueue(line.Data ?? "");
        process.ErrorDataReceived += (_, line) => _errors += line.Data;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Returns once it listens: it knows the ruleset then, too.</summary>
    public static async Task<NftMonitor> StartAsync(string netns)
    {
        int before = NetworkNamespace.Run(netns, () => Listeners("/proc/thread-self/net/netlink"));
        Process process = Tool.Start("ip", ["netns", "exec", netns, "nft", "-a", "monitor", "trace"]);
        var monitor = new NftMonitor(process);
        // Before it enters the namespace, its own table is another namespace's.
        await Eventually.HoldsAsync(
            () => process.HasExited || (IsInside(process.Id, netns) && Listeners($"/proc/{process.Id}/net/netlink") > before),
            () => $"nft monitor does not listen: {monitor._errors}");
        Assert.False(process.HasExited, monitor._errors);
        return monitor;
    }

    /// <summary>Everything up to the first line with this word: send a packet of which it speaks last.</summary>
    public async Task<NftMonitorBook> ReadUntilAsync(string word)
    {
        await Eventually.HoldsAsync(() => _lines.Any(line => line.Contains(word, StringComparison.Ordinal)), () => $"nft monitor told nothing of {word} in {_lines.Count} lines {_errors}");
        var book = new NftMonitorBook();
        foreach (string line in _lines.TakeWhile(line => !line.Contains(word, StringComparison.Ordinal)))
        {
            book.Take(line);
        }
        Assert.True(_errors.Length == 0, _errors);
        return book;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }
        _process.WaitForExit();
        _process.Dispose();
    }

    private static bool IsInside(int pid, string netns) =>
        NftCluster.Node.Kernel.NetworkNamespace.Inode($"/proc/{pid}/ns/net") == NftCluster.Node.Kernel.NetworkNamespace.Inode($"/run/netns/{netns}");

    private static int Listeners(string file) => File.ReadLines(file).Skip(1)
        .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .Count(fields => fields[1] == "12" && (uint.Parse(fields[3], NumberStyles.HexNumber, CultureInfo.InvariantCulture) & TraceGroup) != 0);
}
