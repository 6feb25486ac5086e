using System.Buffers.Binary;
using NftCluster.Node.Pipeline;

namespace NftCluster.Node.Nftables;

/// <summary>Reads a message of nft's trace (NFT_MSG_TRACE): one step through a chain, and the packet's headers where it carries them. Allocates nothing once the names are known.</summary>
internal sealed class NftMessageParser
{
    // enum nft_trace_attributes; the CT ones since Linux 6.16.
    private const int Table = 1;
    private const int Chain = 2;
    private const int RuleHandle = 3;
    private const int Type = 4;
    private const int Verdict = 5;
    private const int Id = 6;
    private const int LinkHeader = 7;
    private const int NetworkHeader = 8;
    private const int TransportHeader = 9;
    private const int Iif = 10;
    private const int Oif = 12;
    private const int Mark = 14;
    private const int Policy = 16;
    private const int CtId = 18;
    private const int CtStatus = 20;
    private const int CtState = 21;

    // enum nft_verdict_attributes
    private const int VerdictCode = 1;
    private const int VerdictChain = 2;

    private const int EthernetBytes = 14;

    private readonly NameCache _names = new();
    private readonly byte[] _frame = new byte[EthernetBytes + 40 + 20];

    /// <summary>False where the bytes are no whole message.</summary>
    public bool TryParse(ReadOnlySpan<byte> message, ulong timestampNs, out NftVerdict verdict, out PacketHeader header)
    {
        verdict = new NftVerdict { TimestampNs = timestampNs, Table = "", Chain = "" };
        header = default;
        if (!NetlinkMessage.TryTake(ref message, out NetlinkMessage taken))
        {
            return false;
        }
        verdict.Family = (byte)taken.Family;
        scoped ReadOnlySpan<byte> link = default;
        scoped ReadOnlySpan<byte> network = default;
        scoped ReadOnlySpan<byte> transport = default;
        NetlinkAttributes attributes = taken.Attributes;
        while (attributes.MoveNext())
        {
            switch (attributes.Type)
            {
                case Table: verdict.Table = _names.Find(attributes.Value); break;
                case Chain: verdict.Chain = _names.Find(attributes.Value); break;
                case RuleHandle: verdict.RuleHandle = attributes.UInt64; break;
                case Type: verdict.Type = (NftTraceType)attributes.UInt32; break;
                case Verdict: ReadVerdict(attributes.Nested, ref verdict); break;
                case Policy: verdict.Code = (int)attributes.UInt32; break;
                case Id: verdict.TraceId = attributes.UInt32; break;
                case LinkHeader: link = attributes.Value; break;
                case NetworkHeader: network = attributes.Value; break;
                case TransportHeader: transport = attributes.Value; break;
                case Iif: verdict.Iif = attributes.UInt32; break;
                case Oif: verdict.Oif = attributes.UInt32; break;
                case Mark: (verdict.Mark, verdict.HasMark) = (attributes.UInt32, true); break;
                case CtId: verdict.CtId = attributes.UInt32; break;
                case CtStatus: verdict.CtStatus = attributes.UInt32; break;
                case CtState: verdict.CtState = attributes.UInt32; break;
            }
        }
        if (!network.IsEmpty)
        {
            ReadHeader(link, network, transport, out header);
        }
        return verdict.Table.Length > 0;
    }

    private void ReadVerdict(NetlinkAttributes attributes, ref NftVerdict verdict)
    {
        while (attributes.MoveNext())
        {
            switch (attributes.Type)
            {
                case VerdictCode: verdict.Code = (int)attributes.UInt32; break;
                case VerdictChain: verdict.JumpTarget = _names.Find(attributes.Value); break;
            }
        }
    }

    /// <summary>The headers side by side, as the frame they came from; the packet's own length field says how long it is.</summary>
    private void ReadHeader(ReadOnlySpan<byte> link, ReadOnlySpan<byte> network, ReadOnlySpan<byte> transport, out PacketHeader header)
    {
        Span<byte> frame = _frame;
        frame.Clear();
        (ushort type, uint length) = (network[0] >> 4) switch
        {
            4 when network.Length >= 20 => ((ushort)0x0800, BinaryPrimitives.ReadUInt16BigEndian(network[2..])),
            6 when network.Length >= 40 => ((ushort)0x86dd, BinaryPrimitives.ReadUInt16BigEndian(network[4..]) + 40u),
            _ => (link.Length >= EthernetBytes ? BinaryPrimitives.ReadUInt16BigEndian(link[12..]) : (ushort)0, (uint)network.Length),
        };
        BinaryPrimitives.WriteUInt16BigEndian(frame[12..], type);
        int at = EthernetBytes + Math.Min(network.Length, 40);
        network[..(at - EthernetBytes)].CopyTo(frame[EthernetBytes..]);
        int rest = Math.Min(transport.Length, frame.Length - at);
        transport[..rest].CopyTo(frame[at..]);
        PacketHeader.Parse(frame[..(at + rest)], length + EthernetBytes, 0, out header);
    }
}
