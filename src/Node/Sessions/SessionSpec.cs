using NftCluster.Node.Pipeline;

namespace NftCluster.Node.Sessions;

/// <summary>What a session asks for. All its texts are checked when it starts.</summary>
internal sealed record SessionSpec
{
    public required string Id { get; init; }

    public string Mode { get; init; } = "full";

    /// <summary>pcap-filter(7); null or empty = every packet.</summary>
    public string? Filter { get; init; }

    /// <summary>Device name at a door; null = any.</summary>
    public string? Device { get; init; }

    /// <summary>Name, path or process id; null = the node's own; "all" = every namespace of this kernel.</summary>
    public string? Netns { get; init; }

    /// <summary>VALUE or VALUE/MASK, decimal or 0x…</summary>
    public string? Mark { get; init; }

    /// <summary>Stops by itself after this many closed traces of the wanted quality, and hands out no more; 0 = no limit. The statistics count on until the end.</summary>
    public long MaxPackets { get; init; }

    public string Quality { get; init; } = Export.TraceQuality.Valuable;

    /// <summary>Bytes of payload to keep of each packet, at most <see cref="PacketHeader.MostPayloadBytes"/>; 0 = none.</summary>
    public int SnapBytes { get; init; }

    /// <summary>Which packets are handed out; null = all. Statistics count the others, too.</summary>
    public PacketSampling? Sampling { get; init; }

    public TrackerOptions Tracker { get; init; } = new();

    /// <summary>Closed traces go here, on the output actor; none = only statistics.</summary>
    public IReadOnlyList<ITraceOutput> Outputs { get; init; } = [];

    /// <summary>Here, too, on an actor of their own: outputs whose reader may be slow, stand still or go (standard output).</summary>
    public IReadOnlyList<ITraceOutput> Live { get; init; } = [];
}

/// <summary>Takes closed traces one at a time, and the end. Used by one actor only.</summary>
internal interface ITraceOutput : IDisposable
{
    /// <summary>False where the verdicts are enough: where that holds for every output, records come without their events.</summary>
    public bool NeedsEvents => true;

    public void Write(Messages.TraceRecord trace);

    /// <summary>After each batch: whoever reads live wants to see it now.</summary>
    public void Flush();

    /// <summary>Once a second: what closed before this time (CLOCK_REALTIME, ns) was written. For outputs that must know how far they are.</summary>
    public void CaughtUp(long wallNs)
    {
        // Most do not ask.
    }

    public void Complete(Messages.SessionRecord session, Messages.StatisticsRecord statistics);
}
