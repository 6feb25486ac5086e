using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace NftCluster.Node.Kernel.Native;

/// <summary>The C# half of bpf/trace_abi.h; ContractTests compares it with the object's BTF, field by field.</summary>
internal static class TraceAbi
{
    public const int MaxProbes = 160;
    public const int MaxSessions = 64;
    public const int MaxCpus = 256;
    public const int TracepointSlots = 64;
    public const int TracepointDoors = 12;
    public const int FentrySlots = 124;
    public const int FentryDoors = 5;
    public const int NetfilterSlots = 10;
    public const int NetfilterDoors = 2;
    public const int FilterReads = 8;

    public const byte ProbeComm = 1;
    public const byte ProbeDefer = 2;

    public const byte EventSample = 1;
    public const byte EventTask = 2;
    public const byte EventNft = 16;
    public const byte EventNftStep = 32;

    public const int NftNameShort = 32;
    public const int NftNameLong = 256;

    public const byte ConntrackUntracked = 7;
    public const byte ConntrackNone = 255;
}

[StructLayout(LayoutKind.Sequential)]
internal readonly struct ProbeDesc
{
    public readonly ushort Probe;
    public readonly byte Role;
    public readonly byte ParamKind;
    public readonly sbyte SkbArg;
    public readonly sbyte ParamArg;
    public readonly sbyte Param2Arg;
    public readonly byte Flags;

    public ProbeDesc(ushort probe, byte role, byte paramKind, sbyte skbArg, sbyte paramArg, sbyte param2Arg, byte flags)
    {
        (Probe, Role, ParamKind, SkbArg, ParamArg, Param2Arg) = (probe, role, paramKind, skbArg, paramArg, param2Arg);
        Flags = flags;
    }
}

/// <summary>.rodata of bpf/tracing.bpf.c.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TracingSetup
{
    public TracepointDescs TracepointSlots;
    public FentryDescs FentrySlots;
    public NetfilterDescs NetfilterSlots;
    public byte DirectMemory;
    public PadSeven Pad;

    [InlineArray(TraceAbi.TracepointSlots)]
    public struct TracepointDescs
    {
        private ProbeDesc _element;
    }

    [InlineArray(TraceAbi.FentrySlots)]
    public struct FentryDescs
    {
        private ProbeDesc _element;
    }

    [InlineArray(TraceAbi.NetfilterSlots)]
    public struct NetfilterDescs
    {
        private ProbeDesc _element;
    }

    [InlineArray(7)]
    public struct PadSeven
    {
        private byte _element;
    }
}

/// <summary>.rodata of bpf/nft_messages.bpf.c.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NftSetup
{
    public uint Netns;
    public ushort Probe;
    public ushort Pad;
}

/// <summary>.rodata of bpf/nft_probe.bpf.c.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NftProbeSetup
{
    public uint Netns;
    public ushort Probe;
    public ushort ChainReturn;
    public ushort HookReturn;
    public sbyte InfoArg;
    public sbyte PktArg;
    public sbyte VerdictArg;
    public sbyte RuleArg;
    public sbyte ChainArg;
    public sbyte TypeArg;
    public sbyte ChainPktArg;
    public sbyte HookSkbArg;
    public ushort Pad;
}

/// <summary>What precedes the three names of a step: table, chain, target.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NftStep
{
    public ulong ChainAddr;
    public ulong RuleAddr;
    public ulong RuleHandle;
    public int Code;
    public int Priority;
    public uint Iif;
    public uint Oif;
    public byte Family;
    public byte Pf;
    public byte Hook;
    public byte Type;
    public byte ChainType;
    public byte Stolen;
    public ushort NameSize;
}

/// <summary>What conntrack knew of a packet; precedes every verdict, from whichever source.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NftConntrack
{
    public TupleBytes Original;
    public TupleBytes Reply;
    public uint Status;
    public byte Info;
    public PadBytes Pad;

    [InlineArray(40)]
    public struct TupleBytes
    {
        private byte _element;
    }

    [InlineArray(3)]
    public struct PadBytes
    {
        private byte _element;
    }
}

[StructLayout(LayoutKind.Sequential)]
internal struct PacketEvent
{
    public ulong TimestampNs;
    public ulong SkbAddr;
    public ulong SessionMask;
    public ulong Param;
    public uint Netns;
    public uint Ifindex;
    public uint Length;
    public uint Mark;
    public uint Param2;
    public ushort Probe;
    public ushort Cpu;
    public byte Flags;
    public byte SampleSize;
    public PadSix Pad;

    [InlineArray(6)]
    public struct PadSix
    {
        private byte _element;
    }
}

/// <summary>What precedes the sample's bytes; sample_size bytes follow it in the record.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct HeaderSample
{
    public ulong Head;
    public uint FrameLength;
    public ushort Valid;
    public ushort GsoSegs;
}

[StructLayout(LayoutKind.Sequential)]
internal struct TaskSample
{
    public uint Pid;
    public uint Pad;
    public CommBytes Comm;

    [InlineArray(16)]
    public struct CommBytes
    {
        private byte _element;
    }
}

[StructLayout(LayoutKind.Sequential)]
internal struct SessionFilter
{
    public uint Netns;
    public uint Ifindex;
    public uint Mark;
    public uint MarkMask;
    public uint FirstNode;
    public uint NodeCount;
}

/// <summary>Also the shape in which <c>filter_reads</c> says which of its bits the filters look at.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Question
{
    public ulong Sessions;
    public ulong Conntrack;
    public uint FilterGeneration;
    public uint FrameLength;
    public uint Netns;
    public uint Ifindex;
    public uint Mark;
    public uint Valid;
    public SampleBytes Bytes;

    [InlineArray(Filter.SampleReach.SampleBytes)]
    public struct SampleBytes
    {
        private byte _element;
    }
}

[StructLayout(LayoutKind.Sequential)]
internal struct Control
{
    public ulong AllMask;
    public ulong FilteredMask;
    public uint GateNetns;
    public uint WakeBacklog;
    public ulong VerdictMask;
    public uint FilterGeneration;
    public uint Pad;
}

[StructLayout(LayoutKind.Sequential)]
internal struct CpuCounters
{
    public ulong Attempted;
    public ulong Lost;
    public ulong Evicted;
    public ulong Unattributed;
    public ulong Unasked;
    public ulong Untimed;
    public PadTwo Pad;

    [InlineArray(2)]
    public struct PadTwo
    {
        private ulong _element;
    }
}
