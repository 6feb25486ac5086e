using System.Runtime.InteropServices;
using NftCluster.Node.Kernel;
using NftCluster.Node.Kernel.Native;

namespace NftCluster.Node.Pipeline;

/// <summary>Walks the records of a batch in place and gives the tracker those that a session wants.</summary>
internal sealed class BatchReader(VisitTracker tracker, SessionStatistics statistics, int sessionBit)
{
    private static readonly unsafe int _eventSize = sizeof(PacketEvent);

    private readonly ulong _mask = 1UL << sessionBit;

    /// <summary>Time of the newest event seen, CLOCK_MONOTONIC.</summary>
    public ulong NewestNs { get; private set; }

    /// <summary>Called when handling one event threw; null = let it out.</summary>
    public Action<Exception>? OnTraceFailed { get; set; }

    public void Read(EventBatch batch, ITraceSink closed)
    {
        ReadOnlySpan<byte> bytes = batch.Bytes;
        while (bytes.Length >= RingBufferReader.HeaderSize)
        {
            uint header = MemoryMarshal.Read<uint>(bytes);
            int size = RingBufferReader.RecordSize(header);
            if ((header & RingBufferReader.DiscardBit) == 0)
            {
                ReadOnlySpan<byte> body = bytes[RingBufferReader.HeaderSize..size];
                ref readonly PacketEvent e = ref MemoryMarshal.AsRef<PacketEvent>(body);
                if ((e.SessionMask & _mask) != 0)
                {
                    Observe(e, body[_eventSize..], closed);
                }
            }
            bytes = bytes[size..];
        }
        tracker.Expire(NewestNs, closed);
    }

    private void Observe(in PacketEvent e, ReadOnlySpan<byte> tail, ITraceSink closed)
    {
        statistics.CountEvent(e.Probe);
        NewestNs = Math.Max(NewestNs, e.TimestampNs);
        try
        {
            tracker.Observe(e, tail, closed);
        }
        catch (Exception failure) when (OnTraceFailed is not null)
        {
            // One packet's trace is lost and counted; the packets beside it go on.
            tracker.Abandon(e);
            OnTraceFailed(failure);
        }
    }
}
