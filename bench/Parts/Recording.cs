using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using NftCluster.Node.Kernel;
using NftCluster.Node.Kernel.Native;
using NftCluster.Node.Kernel.Probes;

namespace NftCluster.Bench.Parts;

/// <summary>
/// Ring records as the kernel half writes them: UDP packets that a router forwards, ten events each, a header sample where
/// each comes in and where it leaves; eight packets under way at once, skb addresses used again at once, as the slab does.
/// </summary>
internal sealed class Recording
{
    public const int EventsPerPacket = 10;
    public const int Packets = 512;
    public const int Events = Packets * EventsPerPacket;

    private const int UnderWay = 8;
    private const int PlainRecord = RingBufferReader.HeaderSize + 64;
    private const int SampleBytes = 80;
    private const ulong EventGapNs = 300;
    private const uint Netns = 0xf000_0001;

    private static readonly string[] _journey =
    [
        "tp:netif_receive_skb", "fn:ip_rcv", "fn:nf_hook_slow", "fn:ip_rcv_finish", "fn:ip_forward",
        "fn:nf_hook_slow", "fn:ip_output", "fn:ip_finish_output", "tp:net_dev_queue", "tp:net_dev_start_xmit",
    ];

    private static readonly ushort[] _probes = [.. _journey.Select(Probe)];

    private readonly List<byte> _bytes = [];
    private ulong _nowNs = 1_000_000_000;
    private int _records;

    /// <summary>With as many addresses as packets, none is used again; without end, packets are left open before they leave.</summary>
    public static EventBatch Make(int packets = Packets, int addresses = 64, bool withEnd = true)
    {
        Recording recording = new();
        for (int first = 0; first < packets; first += UnderWay)
        {
            for (int step = 0; step < EventsPerPacket; step++)
            {
                for (int packet = first; packet < Math.Min(first + UnderWay, packets); packet++)
                {
                    recording.Add(step, packet, addresses, withEnd);
                }
            }
        }
        EventBatch batch = new(recording._bytes.Count, static _ => { });
        batch.Append(CollectionsMarshal.AsSpan(recording._bytes), recording._records);
        return batch;
    }

    /// <summary>Moves all of a batch's times on by what it lasts: it can be read again as the next one. Costs about a nanosecond per event.</summary>
    public static void Advance(EventBatch batch)
    {
        ReadOnlySpan<byte> read = batch.Bytes;
        Span<byte> bytes = MemoryMarshal.CreateSpan(ref MemoryMarshal.GetReference(read), read.Length);
        ulong lasts = (ulong)batch.Records * EventGapNs;
        while (!bytes.IsEmpty)
        {
            int size = RingBufferReader.RecordSize(MemoryMarshal.Read<uint>(bytes));
            MemoryMarshal.AsRef<PacketEvent>(bytes[RingBufferReader.HeaderSize..]).TimestampNs += lasts;
            bytes = bytes[size..];
        }
    }

    private static ushort Probe(string name)
    {
        for (int i = 0; i < ProbeCatalog.All.Count; i++)
        {
            if (string.Equals(ProbeCatalog.All[i].QualifiedName, name, StringComparison.Ordinal))
            {
                return (ushort)i;
            }
        }
        throw new InvalidOperationException($"the catalog has no {name} any more: change the recording");
    }

    private void Add(int step, int packet, int addresses, bool withEnd)
    {
        bool last = step == EventsPerPacket - 1;
        bool sampled = step is 0 or EventsPerPacket - 2;
        bool leaving = step >= EventsPerPacket - 2;
        PacketEvent e = new()
        {
            TimestampNs = _nowNs += EventGapNs,
            SkbAddr = 0xffff_8881_0000_0000 + (ulong)(packet % addresses) * 256,
            SessionMask = 1,
            Param = step == 5 ? 2u : 0,
            Netns = Netns,
            Ifindex = leaving ? 3u : 2u,
            Length = 50,
            Probe = last && !withEnd ? _probes[^3] : _probes[step],
            Param2 = last && !withEnd ? 1u : 0,
            Flags = sampled ? TraceAbi.EventSample : (byte)0,
            SampleSize = sampled ? (byte)SampleBytes : (byte)0,
        };
        int body = PlainRecord - RingBufferReader.HeaderSize + (sampled ? Unsafe.SizeOf<HeaderSample>() + SampleBytes : 0);
        Write((uint)body);
        Write(0u);
        Write(e);
        if (sampled)
        {
            HeaderSample sample = new() { Head = 0xffff_8882_0000_0000 + (ulong)(packet % addresses) * 1024, FrameLength = 64, Valid = 64, GsoSegs = 1 };
            Write(sample);
            WriteFrame(packet, leaving ? (byte)63 : (byte)64);
        }
        _records++;
    }

    private void WriteFrame(int packet, byte ttl)
    {
        Span<byte> frame = stackalloc byte[SampleBytes];
        frame.Clear();
        frame[12] = 0x08;
        Span<byte> ip = frame[14..];
        ip[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], 50);
        BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)packet);
        (ip[8], ip[9]) = (ttl, 17);
        ((ReadOnlySpan<byte>)[10, 1, 0, 2, 10, 3, 0, 2]).CopyTo(ip[12..]);
        BinaryPrimitives.WriteUInt16BigEndian(ip[20..], 40_000);
        BinaryPrimitives.WriteUInt16BigEndian(ip[22..], 5_000);
        BinaryPrimitives.WriteUInt16BigEndian(ip[24..], 30);
        _bytes.AddRange(frame);
    }

    private void Write<T>(in T value)
        where T : unmanaged => _bytes.AddRange(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)));
}
