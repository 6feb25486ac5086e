namespace NftCluster.Node.Pipeline;

/// <summary>One packet event as a trace keeps it: what is the same for the whole visit is left out (48 bytes).</summary>
internal struct TraceEvent
{
    /// <summary>CLOCK_MONOTONIC.</summary>
    public ulong TimestampNs;
    public ulong SkbAddr;
    public ulong Param;
    public uint Ifindex;
    public uint Length;
    public uint Mark;
    public uint Param2;
    public ushort Probe;
    public ushort Cpu;

    /// <summary>Which header held when this was seen.</summary>
    public TraceSide Side;

    /// <summary>True when <see cref="PacketTrace.Comm"/> was sampled here.</summary>
    public bool HasTask;
}

/// <summary>The header as the packet came in, or as it left.</summary>
internal enum TraceSide : byte
{
    In,
    Out,
}
