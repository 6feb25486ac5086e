using System.Buffers.Binary;
using System.Text;

namespace NftCluster.Messages.Pcapng;

/// <summary>
/// Writes traces as a capture file (draft-ietf-opsawg-pcapng): one interface per node and device, times in nanoseconds of the node's own clock, what became
/// of the packet as a comment. A trace is one packet where it came in, and one where it left. Bytes: see <see cref="PacketBytes"/>.
/// </summary>
public sealed class PcapngWriter : IDisposable
{
    private const ushort RawIp = 101; // LINKTYPE_RAW: begins with the IP header
    private const int SectionHeader = 0x0A0D0D0A;
    private const int InterfaceDescription = 1;
    private const int EnhancedPacket = 6;
    private const int FlushAt = 1 << 16;
    private const int MostComment = 4096;

    private readonly Stream _stream;
    private readonly Dictionary<(string Node, string Device), int> _interfaces = [];
    private readonly MemoryStream _pending = new();

    public PcapngWriter(Stream stream, string application)
    {
        _stream = stream;
        Block(SectionHeader, body =>
        {
            Put(body, 0x1A2B3C4D);
            Put16(body, 1);
            Put16(body, 0);
            Put64(body, ulong.MaxValue); // length not given
            Option(body, 1, "Headers as the traces keep them: MAC addresses, TOS, options, windows and the checksums of TCP and UDP are not kept and stand as zero.");
            Option(body, 4, application);
            EndOfOptions(body);
        });
    }

    /// <summary>Packets that are in the file.</summary>
    public long Packets { get; private set; }

    /// <summary>Traces without an IP header (ARP, a header that was not seen): they are not in the file.</summary>
    public long Skipped { get; private set; }

    public void Add(TraceRecord trace, string node, string? id = null)
    {
        string comment = Comment(trace, node, id);
        bool isIn = trace.In is { } came && Add(came, node, TimeOf(trace.FirstSeen), isInbound: true, comment);
        bool isOut = trace.Out is { } left && Add(left, node, LeftAt(trace, left), isInbound: false, comment);
        Skipped += isIn || isOut ? 0 : 1;
    }

    public void Flush()
    {
        _pending.Position = 0;
        _pending.CopyTo(_stream);
        _pending.SetLength(0);
        _stream.Flush();
    }

    /// <summary>The stream stays open; what was not flushed is gone.</summary>
    public void Dispose() => _pending.Dispose();

    private bool Add(PacketSide side, string node, long atNs, bool isInbound, string comment)
    {
        byte[] bytes = new byte[PacketBytes.Most];
        int length = PacketBytes.Write(side, bytes);
        if (length == 0)
        {
            return false;
        }
        int captured = (int)Math.Min(length, Math.Max(side.Length, 0));
        int place = InterfaceOf(node, side.Device ?? $"ifindex {side.Ifindex}");
        Block(EnhancedPacket, body =>
        {
            Put(body, place);
            Put(body, (int)((ulong)atNs >> 32));
            Put(body, (int)(uint)atNs);
            Put(body, captured);
            Put(body, (int)Math.Max(side.Length, captured));
            body.Write(bytes, 0, captured);
            Pad(body);
            Option(body, 1, comment);
            Put16(body, 2); // epb_flags
            Put16(body, 4);
            Put(body, isInbound ? 1 : 2);
            EndOfOptions(body);
        });
        Packets++;
        if (_pending.Length > FlushAt)
        {
            Flush();
        }
        return true;
    }

    private int InterfaceOf(string node, string device)
    {
        if (_interfaces.TryGetValue((node, device), out int known))
        {
            return known;
        }
        int next = _interfaces.Count;
        _interfaces.Add((node, device), next);
        Block(InterfaceDescription, body =>
        {
            Put16(body, RawIp);
            Put16(body, 0);
            Put(body, 0); // no limit
            Option(body, 2, $"{node}/{device}");
            Option(body, 3, $"device {device} of node {node}");
            Put16(body, 9); // if_tsresol: 10^-9 s
            Put16(body, 1);
            Put(body, 9);
            EndOfOptions(body);
        });
        return next;
    }

    private static string Comment(TraceRecord trace, string node, string? id)
    {
        StringBuilder text = new($"node {node}, {trace.FinalVerdict}");
        if (trace.DropReason is { } reason)
        {
            text.Append(", reason ").Append(reason).Append(trace.DropFunction is { } at ? $" at {at}" : "");
        }
        if (trace.NftEvents.LastOrDefault(verdict => verdict.Verdict == "drop") is { } drop)
        {
            text.Append($", {drop.Family} {drop.Table} {drop.Chain} {(drop.TraceType == "policy" ? "policy" : $"rule {drop.RuleHandle}")}").Append(drop.RuleText is { } rule ? $" \"{rule}\"" : "");
        }
        if (trace.IncompleteReason is { } missing)
        {
            text.Append(", incomplete: ").Append(missing);
        }
        return (id is null ? text : text.Append(", trace ").Append(id)).ToString();
    }

    /// <summary>Where it was last seen on the device that it left through; its last event is later where it was freed.</summary>
    private static long LeftAt(TraceRecord trace, PacketSide left)
    {
        for (int i = trace.Events.Count - 1; i >= 0; i--)
        {
            if (trace.Events[i].Ifindex == left.Ifindex && trace.Events[i].Step is "TX" or "qdisc" or "driver")
            {
                return TimeOf(trace.Events[i].Timestamp);
            }
        }
        return TimeOf(trace.LastSeen);
    }

    private static long TimeOf(string text) => TraceTime.TryParse(text, out long ns) ? ns : 0;

    private void Block(int type, Action<MemoryStream> fill)
    {
        using MemoryStream body = new();
        fill(body);
        Pad(body);
        int length = (int)body.Length + 12;
        Put(_pending, type);
        Put(_pending, length);
        body.Position = 0;
        body.CopyTo(_pending);
        Put(_pending, length);
    }

    private static void Option(MemoryStream to, int code, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text.Length > MostComment ? text[..MostComment] : text);
        Put16(to, code);
        Put16(to, bytes.Length);
        to.Write(bytes);
        Pad(to);
    }

    private static void EndOfOptions(MemoryStream to) => Put(to, 0);

    private static void Pad(MemoryStream to)
    {
        while (to.Length % 4 != 0)
        {
            to.WriteByte(0);
        }
    }

    private static void Put(MemoryStream to, int value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        to.Write(bytes);
    }

    private static void Put16(MemoryStream to, int value)
    {
        Span<byte> bytes = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)value);
        to.Write(bytes);
    }

    private static void Put64(MemoryStream to, ulong value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        to.Write(bytes);
    }
}
