using Google.Protobuf;
using NftCluster.Controller.Storage;
using NftCluster.Messages;
using NftCluster.Messages.Link;

namespace NftCluster.Bench.Storage;

/// <summary>Frames of ten-event traces as a node packs them: 200 flows, every hundredth packet dropped.</summary>
internal sealed class StorageFrames(int tracesPerFrame, string session = StorageFrames.Session)
{
    public const string Session = "bench";
    public const int Flows = 200;
    public const int DroppedOneIn = 100;

    private const long Start = 1_767_225_600_000_000_000;
    private static readonly string[] _functions =
        ["napi_gro_receive_entry", "netif_receive_skb", "ip_rcv", "nf_hook_slow", "fib_table_lookup", "ip_forward", "ip_output", "net_dev_queue", "net_dev_start_xmit", "net_dev_xmit"];

    /// <summary>Frame number <paramref name="sequence"/>, from 1, of one node, as it arrives.</summary>
    public Data Frame(ulong epoch, ulong sequence)
    {
        int first = (int)(sequence - 1) * tracesPerFrame;
        return Packed(session, epoch, sequence, [.. Enumerable.Range(first, tracesPerFrame).Select(Trace)]);
    }

    /// <summary>One trace to this port.</summary>
    public static Data Single(string session, int port) => Packed(session, 1, 1, [Trace(1) is var trace ? trace with { DstPort = port, In = trace.In! with { DstPort = port }, Out = trace.Out! with { DstPort = port } } : trace]);

    private static Data Packed(string session, ulong epoch, ulong sequence, TraceRecord[] traces)
    {
        PackedPayload packed = DataFrame.Pack(new Payload { Traces = TraceBatchCodec.Encode(session, traces) });
        return new Data
        {
            Epoch = epoch,
            Sequence = sequence,
            Compression = packed.Compression,
            PayloadBytes = (uint)packed.PayloadBytes,
            Hash = packed.Hash,
            Payload = ByteString.CopyFrom(packed.Bytes),
        };
    }

    /// <summary>From the bytes of the link to what the writer takes.</summary>
    public static IngestFrame Arrive(string node, Data frame) => new(node, frame, DataFrame.Unpack(frame), DateTimeOffset.UnixEpoch);

    private static TraceRecord Trace(int n)
    {
        long at = Start + n * 20_000L;
        bool isDropped = n % DroppedOneIn == 0;
        int port = 20_000 + n % Flows;
        string address = $"0x{0xffff888100000000 + (ulong)(n % 4096) * 256:x}";
        PacketSide side = new() { Device = "r1c", Ifindex = 2, Protocol = "UDP", SrcIp = $"10.1.0.{2 + n % Flows}", DstIp = "10.3.0.2", SrcPort = port, DstPort = 5_000, Ttl = 64, IpId = n % 65_536, Length = 128, PayloadLength = 100 };
        EventRecord[] events = [.. _functions.Select((function, i) => new EventRecord
        {
            Timestamp = TraceTime.Format(at + i * 1_700),
            OffsetNs = i * 1_700,
            SkbAddr = address,
            FuncName = function,
            Layer = i < 2 || i > 6 ? "device" : "ip",
            Direction = "forward",
            Step = "FORWARD",
            Protocol = "UDP",
            SrcIp = side.SrcIp,
            DstIp = side.DstIp,
            SrcPort = port,
            DstPort = 5_000,
            Length = 128,
            Device = i < 6 ? "r1c" : "r1s",
            Ifindex = i < 6 ? 2 : 3,
            Cpu = n % 2,
            Ttl = i < 6 ? 64 : 63,
        })];
        return new TraceRecord
        {
            Key = $"{address}/4026532281/{n}",
            SkbAddr = address,
            ProtocolName = "UDP",
            SrcIp = side.SrcIp,
            DstIp = side.DstIp,
            SrcPort = port,
            DstPort = 5_000,
            FirstSeen = TraceTime.Format(at),
            LastSeen = TraceTime.Format(at + 15_300),
            DurationNs = 15_300,
            Direction = "forward",
            FinalVerdict = isDropped ? "dropped" : "forwarded",
            DropReason = isDropped ? "NO_SOCKET" : null,
            DropFunction = isDropped ? "ip_forward+0x1c" : null,
            FunctionsCalled = _functions,
            Complete = true,
            In = side,
            Out = side with { Device = "r1s", Ifindex = 3, Ttl = 63 },
            Netns = 4_026_532_281,
            Events = events,
            NftEvents = [],
        };
    }
}
