using System.Buffers.Binary;
using Google.Protobuf;
using NftCluster.Controller.Storage;
using NftCluster.Messages;
using NftCluster.Messages.Link;

namespace NftCluster.Controller.Stitching;

/// <summary>A stored batch's traces as hops. Texts of a batch are read once.</summary>
internal sealed class HopReader(StoredHops stored)
{
    private readonly HopBatch _batch = stored.Batch;
    private readonly Dictionary<uint, byte> _protocols = [];

    public IEnumerable<Hop> Read()
    {
        for (int i = 0; i < _batch.Trace.Count; i++)
        {
            yield return Read(_batch.Trace[i], new TraceId(stored.NodeId, stored.Epoch, stored.Sequence, i));
        }
    }

    private Hop Read(HopTrace trace, TraceId id)
    {
        long first = _batch.BaseNs + trace.FirstSeenNs;
        string verdict = Text(trace.VerdictText) ?? "unknown";
        (Endpoints? original, Endpoints? reply) = Conntrack(trace);
        return new Hop
        {
            Id = id,
            FirstNs = first,
            LastNs = first + (long)trace.DurationNs,
            ClockOffsetNs = stored.ClockOffsetNs ?? 0,
            ClockBoundNs = stored.ClockBoundNs,
            Protocol = ProtocolOf(trace, trace.In ?? trace.Out) ?? "unknown",
            In = Side(trace, trace.In),
            Out = Side(trace, trace.Out),
            Verdict = verdict,
            DropReason = Text(trace.DropReasonText),
            IsComplete = trace.Complete,
            IncompleteReason = Text(trace.IncompleteText),
            Dropped = verdict == "dropped" ? Deciding(trace) : null,
            CtOriginal = original,
            CtReply = reply,
        };
    }

    private HopSide? Side(HopTrace trace, Side? side) => side is null ? null : new HopSide
    {
        Device = Text(side.DeviceText),
        Endpoints = EndpointsOf(trace, side.Tuple) ?? default,
        Wire = side.HasWireDigest ? side.WireDigest : null,
        Content = side.HasContentDigest ? side.ContentDigest : null,
        Ttl = side.HasTtl ? (int)side.Ttl : null,
        IpId = side.HasIpId ? (int)side.IpId : 0,
        FragmentOffset = side.HasFragmentOffset ? (int)side.FragmentOffset : null,
        Echo = side.HasIcmpId && side.HasIcmpSeq ? (side.IcmpId << 16) | side.IcmpSeq : null,
        TcpSeq = side.HasTcpSeq ? side.TcpSeq : null,
        PayloadLength = side.HasPayloadLength ? (int)side.PayloadLength : 0,
    };

    /// <summary>The last verdict is the one that dropped.</summary>
    private HopRule? Deciding(HopTrace trace)
    {
        for (int i = trace.NftEvent.Count - 1; i >= 0; i--)
        {
            HopVerdict last = trace.NftEvent[i];
            if (Text(last.VerdictText) == "drop")
            {
                return new HopRule("drop", Text(last.TraceTypeText) ?? "rule", Text(last.FamilyText), Text(last.TableText), Text(last.ChainText), last.HasRuleHandle ? (long)last.RuleHandle : null, Text(last.RuleText));
            }
        }
        return null;
    }

    private (Endpoints? Original, Endpoints? Reply) Conntrack(HopTrace trace)
    {
        foreach (HopVerdict verdict in trace.NftEvent)
        {
            if (verdict.CtOriginal is { } original && verdict.CtReply is { } reply)
            {
                return (EndpointsOf(trace, original.Tuple), EndpointsOf(trace, reply.Tuple));
            }
        }
        return (null, null);
    }

    private string? ProtocolOf(HopTrace trace, Side? side) => side is { Tuple: > 0 } known && known.Tuple <= trace.Tuples.Count ? Text(trace.Tuples[(int)known.Tuple - 1].ProtocolText) : null;

    private Endpoints? EndpointsOf(HopTrace trace, uint tuple)
    {
        if (tuple == 0 || tuple > trace.Tuples.Count)
        {
            return null;
        }
        Messages.Link.Tuple found = trace.Tuples[(int)tuple - 1];
        return new Endpoints(ProtocolOf(found.ProtocolText), Address(found.SrcIp), Address(found.DstIp), (ushort)found.SrcPort, (ushort)found.DstPort);
    }

    private static UInt128 Address(ByteString bytes) => bytes.Length switch
    {
        4 => ((UInt128)0xffff << 32) | BinaryPrimitives.ReadUInt32BigEndian(bytes.Span),
        16 => BinaryPrimitives.ReadUInt128BigEndian(bytes.Span),
        _ => 0,
    };

    private byte ProtocolOf(uint text)
    {
        if (!_protocols.TryGetValue(text, out byte protocol))
        {
            _protocols[text] = protocol = ProtocolNames.NumberOf(Text(text)) ?? 0;
        }
        return protocol;
    }

    private string? Text(uint index) => index == 0 || index >= _batch.Text.Count ? null : _batch.Text[(int)index];
}
