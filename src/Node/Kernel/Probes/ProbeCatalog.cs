namespace NftCluster.Node.Kernel.Probes;

/// <summary>Every place in the kernel that can be watched, as data; a row's index is its number on both sides of the kernel.</summary>
/// <remarks>
/// A row that a kernel lacks stays there and says why: alternatives between kernels are separate rows.
/// Direction "unknown" means that the place does not tell it; the packet's trace does.
/// </remarks>
internal static partial class ProbeCatalog
{
    /// <summary>MAX_PROBES of bpf/trace_abi.h.</summary>
    public const int Capacity = 160;

    public static IReadOnlyList<ProbeDefinition> All { get; } = [.. Inbound, .. Forward, .. Outbound, .. Everywhere.Select(FollowedOnly)];

    /// <summary>The way in, the way out and drops: what identity and a verdict need at the least cost.</summary>
    public static IReadOnlyList<ProbeDefinition> Light { get; } =
        Tracepoints("netif_receive_skb", "net_dev_start_xmit", "kfree_skb");

    /// <summary>Verdicts and hooks, and the doors and drops that a verdict's packet is told by: also where it leaves a socket, before its first hook.</summary>
    public static IReadOnlyList<ProbeDefinition> Nft { get; } =
        [.. Light, .. All.Where(row => row.Kind is ProbeKind.Hook or ProbeKind.Nft or ProbeKind.Return || row is { Kind: ProbeKind.Function, Name: "nf_hook_slow" or "__ip_local_out" or "__ip6_local_out" })];

    /// <summary>The five probes that bench/ measures with.</summary>
    public static IReadOnlyList<ProbeDefinition> Five { get; } =
        Tracepoints("netif_receive_skb", "net_dev_queue", "net_dev_start_xmit", "consume_skb", "kfree_skb");

    private static ProbeDefinition[] Tracepoints(params ReadOnlySpan<string> names)
    {
        var rows = new ProbeDefinition[names.Length];
        for (int i = 0; i < rows.Length; i++)
        {
            string name = names[i];
            rows[i] = All.Single(row => row.Kind == ProbeKind.Tracepoint && row.Name == name);
        }

        return rows;
    }

    private static ProbeDefinition Function(string name, string layer, string direction, string step, params string[] standIns) =>
        new(name, ProbeKind.Function, layer, direction, step) { StandIns = standIns };

    private static ProbeDefinition Tracepoint(string name, string layer, string direction, string step, ProbeRole role = ProbeRole.Step) =>
        new(name, ProbeKind.Tracepoint, layer, direction, step) { Role = role };

    private static ProbeDefinition Hook(string name, string direction, string step) =>
        new(name, ProbeKind.Hook, "netfilter", direction, step) { Param = ParamKind.Hook };

    /// <summary>How long a function took for a packet that is known, and what it returned.</summary>
    private static ProbeDefinition Return(string name, string? module) =>
        new(name, ProbeKind.Return, "netfilter", "unknown", "nft") { Role = ProbeRole.Return, SkbArgument = null, Module = module };

    /// <summary>A step that every skb of the system takes, netlink's and unix sockets' as well: only packets that are known already.</summary>
    private static ProbeDefinition Followed(ProbeDefinition row) => row with { Role = ProbeRole.Follow };

    private static ProbeDefinition FollowedOnly(ProbeDefinition row) => row is { Layer: "skb", Role: ProbeRole.Step } ? Followed(row) : row;

    /// <summary>A place without a packet: its hits are counted.</summary>
    private static ProbeDefinition Counted(ProbeDefinition row) => row with { Role = ProbeRole.Count, SkbArgument = null };

    private static ProbeDefinition WithHookState(ProbeDefinition row) =>
        row with { Param = ParamKind.Hook, ParamArgument = "nf_hook_state*" };

    private static ProbeDefinition WithValues(ProbeDefinition row, string argument, string? second = null) =>
        row with { Param = ParamKind.Value, ParamArgument = argument, Param2Argument = second };

    private static ProbeDefinition InModule(string module, ProbeDefinition row) => row with { Module = module };

    /// <summary>A socket that is told of data: it has no packet of its own.</summary>
    private static ProbeDefinition ToSocket(ProbeDefinition row) => row with
    {
        Role = ProbeRole.Flow,
        SkbArgument = null,
        Param = ParamKind.Socket,
        ParamArgument = "sock*",
    };

    /// <summary>A route look-up: it has a flow, no packet of its own.</summary>
    private static ProbeDefinition Flow(ParamKind kind, ProbeDefinition row, string? table = null) => row with
    {
        Role = ProbeRole.Flow,
        SkbArgument = null,
        Param = kind,
        ParamArgument = kind == ParamKind.Flow4 ? "flowi4*" : "flowi6*",
        Param2Argument = table,
    };
}
