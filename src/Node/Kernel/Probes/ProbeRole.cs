namespace NftCluster.Node.Kernel.Probes;

/// <summary>What a probe means for a visit: enum probe_role of bpf/trace_abi.h.</summary>
internal enum ProbeRole : byte
{
    Step = 0,
    Receive = 1,
    LocalOut = 2,
    Queue = 3,
    Xmit = 4,
    Drop = 5,
    Consume = 6,
    Count = 7,
    Flow = 8,
    Follow = 9,
    Verdict = 10,
    Return = 11,
}

/// <summary>How a probe's further arguments are read: enum param_kind of bpf/trace_abi.h.</summary>
internal enum ParamKind : byte
{
    None = 0,
    Value = 1,
    Hook = 2,
    Flow4 = 3,
    Flow6 = 4,
    Socket = 5,
}

/// <summary>What a row of the catalog names.</summary>
internal enum ProbeKind : byte
{
    Function,
    Tracepoint,

    /// <summary>A netfilter hook, watched through a BPF netfilter link.</summary>
    Hook,

    /// <summary>nft's trace of rules, ends of chains and policies.</summary>
    Nft,

    /// <summary>The return of a function: how long it took, and what it said.</summary>
    Return,
}
