using NftCluster.Node.Pipeline;

namespace NftCluster.Bench.Parts;

/// <summary>Gives closed traces back at once, counted as a shard counts them.</summary>
internal sealed class RecyclingSink(TracePool pool, SessionStatistics statistics) : ITraceSink
{
    public void Take(PacketTrace trace)
    {
        statistics.CountTrace(trace, trace.EventCount > 1);
        pool.ReturnLocal(trace);
    }
}

/// <summary>Keeps closed traces, for what comes after the pipeline.</summary>
internal sealed class KeepingSink : ITraceSink
{
    public List<PacketTrace> Traces { get; } = [];

    public void Take(PacketTrace trace) => Traces.Add(trace);
}
