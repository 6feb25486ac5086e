using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using NftCluster.Node.Kernel.Native;
using NftCluster.Node.Pipeline;

namespace NftCluster.Node.Nftables;

/// <summary>
/// Reads a verdict out of a record of the ring, from whichever source: conntrack's words first, then a message of nft's trace, or a
/// step as the probed function had it. Allocates nothing once the names are known.
/// </summary>
internal sealed class NftVerdictReader
{
    private readonly NftMessageParser _messages = new();
    private readonly NameCache _names = new();

    /// <summary>False where the bytes are no whole verdict.</summary>
    public bool TryRead(in PacketEvent e, ReadOnlySpan<byte> tail, out NftVerdict verdict, out PacketHeader header, out NftConntrack conntrack)
    {
        verdict = default;
        header = default;
        conntrack = default;
        if (tail.Length < Unsafe.SizeOf<NftConntrack>())
        {
            return false;
        }
        conntrack = MemoryMarshal.Read<NftConntrack>(tail);
        ReadOnlySpan<byte> rest = tail[Unsafe.SizeOf<NftConntrack>()..];
        bool isWhole = (e.Flags & TraceAbi.EventNftStep) != 0
            ? TryReadStep(e, rest, out verdict)
            : _messages.TryParse(rest[..(int)Math.Min(e.Length, (uint)rest.Length)], e.TimestampNs, out verdict, out header);
        if (isWhole && conntrack.Info != TraceAbi.ConntrackNone && !verdict.IsStolen)
        {
            verdict.HasConntrack = true;
            verdict.CtStatus = conntrack.Status;
            verdict.CtState = StateBit(conntrack.Info);
        }
        return isWhole;
    }

    private bool TryReadStep(in PacketEvent e, ReadOnlySpan<byte> bytes, out NftVerdict verdict)
    {
        verdict = default;
        if (bytes.Length < Unsafe.SizeOf<NftStep>())
        {
            return false;
        }
        ref readonly NftStep step = ref MemoryMarshal.AsRef<NftStep>(bytes);
        ReadOnlySpan<byte> names = bytes[Unsafe.SizeOf<NftStep>()..];
        int size = step.NameSize;
        if (names.Length < 3 * size || size is not (TraceAbi.NftNameShort or TraceAbi.NftNameLong))
        {
            return false;
        }
        string target = Name(names.Slice(2 * size, size));
        verdict = new NftVerdict
        {
            TimestampNs = e.TimestampNs,
            ChainAddr = step.ChainAddr,
            RuleAddr = step.RuleAddr,
            RuleHandle = step.RuleHandle,
            Table = Name(names[..size]),
            Chain = Name(names.Slice(size, size)),
            JumpTarget = target.Length == 0 ? null : target,
            Code = step.Code,
            Iif = step.Iif,
            Oif = step.Oif,
            Mark = e.Mark,
            HasMark = step.Stolen == 0,
            Priority = step.Priority,
            Family = step.Family,
            Type = (NftTraceType)step.Type,
            HasHook = true,
            Pf = step.Pf,
            Hook = step.Hook,
            ChainType = step.ChainType,
        };
        return verdict.Table.Length > 0;
    }

    /// <summary>Behind the zero lies whatever the ring held before.</summary>
    private string Name(ReadOnlySpan<byte> bytes)
    {
        int end = bytes.IndexOf((byte)0);
        return _names.Find(end < 0 ? bytes : bytes[..end]);
    }

    /// <summary>NF_CT_STATE_BIT of enum ip_conntrack_info.</summary>
    private static uint StateBit(byte info) => info == TraceAbi.ConntrackUntracked ? 64u : 1u << ((info % 3) + 1);
}
