using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using NftCluster.Node.Kernel;
using NftCluster.Node.Kernel.Native;
using NftCluster.Node.Kernel.Probes;

namespace NftCluster.Tests.Node.Pipeline;

/// <summary>One packet buffer as probes see it; a test gives it other bytes (with) where the kernel would rewrite it.</summary>
internal sealed record Skb(ulong Address, byte[] Frame)
{
    public ulong Head { get; init; } = Address + 0x10_0000;

    public uint Netns { get; init; } = 0xf000_0001;

    public ushort Segments { get; init; } = 1;

    public ulong Sessions { get; init; } = 1;
}

/// <summary>Writes what the kernel half would write: real ring records, in order, each a microsecond after the one before.</summary>
internal sealed class EventScript
{
    public const uint Eth0 = 2;
    public const uint Eth1 = 3;

    private static readonly Dictionary<string, ushort> _probes = ProbeCatalog.All
        .Select((row, index) => (row.QualifiedName, Index: (ushort)index))
        .ToDictionary(pair => pair.QualifiedName, pair => pair.Index, StringComparer.Ordinal);

    private readonly List<byte> _records = [];
    private int _count;

    public ulong NowNs { get; private set; } = 1_000_000_000;

    public static ushort Probe(string name) => _probes[name];

    public EventScript Receive(Skb skb, uint ifindex = Eth0, string probe = "tp:netif_receive_skb") => Add(probe, skb, ifindex, sampled: true);

    public EventScript LocalOut(Skb skb) => Add("fn:__ip_local_out", skb, 0, sampled: true);

    /// <summary><paramref name="cameBy"/> is the packet's own memory of its way in (skb_iif).</summary>
    public EventScript Queue(Skb skb, uint ifindex = Eth1, uint cameBy = 0) => Add("tp:net_dev_queue", skb, ifindex, sampled: true, cameBy);

    public EventScript Xmit(Skb skb, uint ifindex = Eth1, bool sampled = false) => Add("tp:net_dev_start_xmit", skb, ifindex, sampled);

    public EventScript Step(Skb skb, string probe, uint ifindex = Eth0, ulong param = 0) => Add(probe, skb, ifindex, sampled: false, param);

    public EventScript Drop(Skb skb, uint reason = 3, ulong location = 0xffff_ffff_8100_0000, bool sampled = false) =>
        Add("tp:kfree_skb", skb, 0, sampled, location, reason);

    public EventScript Consume(Skb skb) => Add("tp:consume_skb", skb, 0, sampled: false);

    /// <summary>In over eth0, out over eth1: what a router's tracepoints and functions show.</summary>
    public EventScript Forward(Skb skb) => Receive(skb).Step(skb, "fn:ip_rcv").Step(skb, "fn:ip_forward").Queue(skb).Xmit(skb);

    public EventScript After(ulong nanoseconds)
    {
        NowNs += nanoseconds;
        return this;
    }

    /// <summary>A record that says it has a header sample, and has none.</summary>
    public EventScript Broken(Skb skb)
    {
        PacketEvent e = Event("fn:ip_rcv", skb, Eth0, 0, 0);
        e.Flags = TraceAbi.EventSample;
        e.SampleSize = 80;
        return Write(0, Bytes(e));
    }

    /// <summary>A record whose writer gave it up.</summary>
    public EventScript Discarded(Skb skb) => Write(RingBufferReader.DiscardBit, Bytes(Event("tp:netif_receive_skb", skb, Eth0, 0, 0)));

    public EventScript InProcess(Skb skb, string probe, uint pid, string comm)
    {
        PacketEvent e = Event(probe, skb, Eth0, 0, 0);
        e.Flags = TraceAbi.EventTask;
        TaskSample task = new() { Pid = pid };
        System.Text.Encoding.ASCII.GetBytes(comm).CopyTo(task.Comm);
        return Write(0, [.. Bytes(e), .. Bytes(task)]);
    }

    /// <summary>A message of nft's trace; the packet's address is 0 where the kernel half could not tell it.</summary>
    public EventScript Nft(Skb skb, byte[] message)
    {
        PacketEvent e = Event("nft:trace", skb, 0, 0, 0);
        e.Flags = TraceAbi.EventNft;
        e.Length = (uint)message.Length;
        byte[] room = new byte[192];
        message.CopyTo(room, 0);
        return Write(0, [.. Bytes(e), .. Bytes(NoConntrack), .. room]);
    }

    /// <summary>A step through a chain as the probed function tells it; and how long the chain took, where it has ended.</summary>
    public EventScript NftStep(Skb skb, in NftStep step, in NftConntrack conntrack, string table, string chain, string target = "")
    {
        PacketEvent e = Event("nft:trace", skb, 0, 0, 0);
        e.Flags = TraceAbi.EventNftStep;
        int size = Math.Max(Math.Max(table.Length, chain.Length), target.Length) < TraceAbi.NftNameShort ? TraceAbi.NftNameShort : TraceAbi.NftNameLong;
        NftStep sized = step;
        sized.NameSize = (ushort)size;
        byte[] names = [.. Enumerable.Repeat((byte)'?', 3 * size)]; // the ring's memory is not empty
        foreach ((int i, string name) in new[] { table, chain, target }.Index())
        {
            _ = System.Text.Encoding.UTF8.GetBytes(name + '\0', names.AsSpan(i * size));
        }
        return Write(0, [.. Bytes(e), .. Bytes(conntrack), .. Bytes(sized), .. names]);
    }

    public static NftConntrack NoConntrack => new() { Info = TraceAbi.ConntrackNone };

    public EventScript Add(string probe, Skb skb, uint ifindex, bool sampled, ulong param = 0, uint param2 = 0)
    {
        PacketEvent e = Event(probe, skb, ifindex, param, param2);
        if (!sampled)
        {
            return Write(0, Bytes(e));
        }
        e.Flags = TraceAbi.EventSample;
        e.SampleSize = (byte)(skb.Frame[12] == 0x08 && skb.Frame[13] == 0 ? 80 : 128);
        HeaderSample sample = new()
        {
            Head = skb.Head,
            FrameLength = (uint)skb.Frame.Length,
            Valid = (ushort)Math.Min(skb.Frame.Length, e.SampleSize),
            GsoSegs = skb.Segments,
        };
        byte[] bytes = new byte[e.SampleSize];
        skb.Frame.AsSpan(0, sample.Valid).CopyTo(bytes);
        return Write(0, [.. Bytes(e), .. Bytes(sample), .. bytes]);
    }

    /// <summary>Everything so far as one batch; the script begins anew, its clock goes on.</summary>
    public EventBatch ToBatch(Action<EventBatch>? recycle = null)
    {
        EventBatch batch = new(Math.Max(_records.Count, 8), recycle ?? (static _ => { }));
        batch.Append(CollectionsMarshal.AsSpan(_records), _count);
        _records.Clear();
        _count = 0;
        return batch;
    }

    private PacketEvent Event(string probe, Skb skb, uint ifindex, ulong param, uint param2) => new()
    {
        TimestampNs = NowNs += 1000,
        SkbAddr = skb.Address,
        SessionMask = skb.Sessions,
        Param = param,
        Param2 = param2,
        Netns = skb.Netns,
        Ifindex = ifindex,
        Length = (uint)skb.Frame.Length,
        Probe = _probes[probe],
    };

    // ┌─────────────┬──────────┬──────────────────────────────┐
    // │ length u32  │ page u32 │ body, padded to 8            │
    // └─────────────┴──────────┴──────────────────────────────┘
    private EventScript Write(uint bits, ReadOnlySpan<byte> body)
    {
        _records.AddRange(Bytes((uint)body.Length | bits));
        _records.AddRange(Bytes(0u));
        _records.AddRange(body);
        _records.AddRange(new byte[-body.Length & 7]);
        _count++;
        return this;
    }

    private static byte[] Bytes<T>(T value)
        where T : unmanaged
    {
        byte[] bytes = new byte[Unsafe.SizeOf<T>()];
        MemoryMarshal.Write(bytes, value);
        return bytes;
    }
}
