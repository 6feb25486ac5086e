namespace NftCluster.Node.Pipeline;

/// <summary>One step of a packet through a chain: a rule that matched, the end of a chain, or a base chain's policy.</summary>
internal struct NftVerdict
{
    public ulong TimestampNs;

    /// <summary>Addresses in the kernel, 0 where the source does not tell them.</summary>
    public ulong ChainAddr;
    public ulong RuleAddr;

    /// <summary>0 = no rule: a policy, or the end of a chain.</summary>
    public ulong RuleHandle;
    public string Table;
    public string Chain;

    /// <summary>The chain of a jump or goto.</summary>
    public string? JumpTarget;

    /// <summary>The kernel's number of the verdict: below 0 nft's own, from 0 on netfilter's.</summary>
    public int Code;

    /// <summary>Names the packet in the messages of one host; may repeat.</summary>
    public uint TraceId;
    public uint Iif;
    public uint Oif;
    public uint Mark;
    public uint CtId;
    public uint CtStatus;
    public uint CtState;

    /// <summary>How long the base chain took that this step ended; 0 = not known, or it did not end here.</summary>
    public uint ChainNs;

    /// <summary>Of the base chain.</summary>
    public int Priority;

    /// <summary>NFPROTO_* of the table.</summary>
    public byte Family;
    public NftTraceType Type;
    public bool HasMark;

    /// <summary>The source told hook, priority and chain type; else only the ruleset does.</summary>
    public bool HasHook;

    /// <summary>NFPROTO_* of the packet, whose hooks have these numbers.</summary>
    public byte Pf;
    public byte Hook;

    /// <summary>enum nft_chain_types.</summary>
    public byte ChainType;

    /// <summary>conntrack knew the packet: <see cref="CtState"/> and <see cref="CtStatus"/> hold.</summary>
    public bool HasConntrack;

    /// <summary>Which of the trace's conntrack tuples held then, from 1 on; 0 = none.</summary>
    public byte Tuples;

    public const int Drop = 0;
    private const int Stolen = 2;

    /// <summary>The packet was somebody else's by then: what was read of it means nothing.</summary>
    public readonly bool IsStolen => Code >= 0 && (Code & 0xff) == Stolen;

    public readonly bool IsDrop => Code == Drop && Type is NftTraceType.Rule or NftTraceType.Policy;

    /// <summary>The base chain is over for the packet: the next step, if any, is in another one.</summary>
    public readonly bool EndsBaseChain => Code >= 0 && Type is NftTraceType.Rule or NftTraceType.Policy;

    /// <summary>The same step told twice: a rule judges a packet again only after another step (the jump that led back to it).</summary>
    public readonly bool Repeats(in NftVerdict before, ulong windowNs) =>
        TimestampNs - before.TimestampNs <= windowNs
        && Type == before.Type && Code == before.Code && RuleHandle == before.RuleHandle && TraceId == before.TraceId
        && Family == before.Family && Chain == before.Chain && Table == before.Table;
}

/// <summary>enum nft_trace_types of the kernel.</summary>
internal enum NftTraceType : byte
{
    Unknown,
    Policy,
    Return,
    Rule,
}
