using System.Diagnostics;
using NftCluster.Messages.Link;

namespace NftCluster.Node.Agent;

/// <summary>What this process costs: CPU since the last look (of one core), memory now.</summary>
internal sealed class ProcessLoad(TimeProvider time)
{
    private readonly Process _self = Process.GetCurrentProcess();
    private TimeSpan _cpu;
    private long _at = time.GetTimestamp();

    public Load Look()
    {
        _self.Refresh();
        TimeSpan cpu = _self.TotalProcessorTime;
        TimeSpan elapsed = time.GetElapsedTime(_at);
        double percent = _cpu == default || elapsed <= TimeSpan.Zero ? 0 : (cpu - _cpu) / elapsed * 100;
        (_cpu, _at) = (cpu, time.GetTimestamp());
        return new Load { CpuPercent = Math.Round(percent, 1), ResidentBytes = (ulong)_self.WorkingSet64 };
    }
}
