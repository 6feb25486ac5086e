namespace NftCluster.Node.Kernel.Probes;

/// <summary>One row of the catalog: a place in the kernel, where it lies on a packet's journey, and which arguments matter there.</summary>
internal sealed record ProbeDefinition(string Name, ProbeKind Kind, string Layer, string Direction, string Step)
{
    public ProbeRole Role { get; init; } = ProbeRole.Step;

    public ParamKind Param { get; init; } = ParamKind.None;

    /// <summary>The packet's argument by type, "sk_buff*#2" = the second of that type; null where the place has no packet.</summary>
    public string? SkbArgument { get; init; } = "sk_buff*";

    /// <summary>The argument read into packet_event.param, by type (BTF has no argument names for tracepoints).</summary>
    public string? ParamArgument { get; init; }

    /// <summary>The argument read into packet_event.param2, by type.</summary>
    public string? Param2Argument { get; init; }

    /// <summary>The module that holds it where the kernel does not have it built in.</summary>
    public string? Module { get; init; }

    /// <summary>Rows that show the same event where this one cannot be attached.</summary>
    public IReadOnlyList<string> StandIns { get; init; } = [];

    /// <summary>True where it always runs in the context of the process whose packet it is.</summary>
    public bool InProcess { get; init; }

    /// <summary>True where the packet is only put aside: it is not what the CPU works on next.</summary>
    public bool Defers { get; init; }

    /// <summary>True where the packet, or its data, has certainly reached a socket.</summary>
    public bool Delivers { get; init; }

    /// <summary>Unique in the catalog and accepted by --probes: "fn:netif_receive_skb", "tp:netif_receive_skb", "hook:ipv4/INPUT".</summary>
    public string QualifiedName => Prefix(Kind) + Name;

    /// <summary>In events and totals: functions and tracepoints by their bare name, what is neither with its prefix.</summary>
    public string ShownName => Kind is ProbeKind.Return or ProbeKind.Nft ? QualifiedName : Name;

    public static string Prefix(ProbeKind kind) => kind switch
    {
        ProbeKind.Function => "fn:",
        ProbeKind.Tracepoint => "tp:",
        ProbeKind.Nft => "nft:",
        ProbeKind.Return => "ret:",
        _ => "hook:",
    };

    /// <summary>The journey's step of one event: where a hook state is known, it decides; the row's own step otherwise.</summary>
    public string StepOf(ulong hook, uint family) =>
        Param == ParamKind.Hook ? NetfilterHooks.StepOf(hook, family) ?? Step : Step;

    public string DirectionOf(ulong hook, uint family) =>
        Param == ParamKind.Hook ? NetfilterHooks.DirectionOf(hook, family) ?? Direction : Direction;
}
