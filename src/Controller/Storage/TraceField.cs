namespace NftCluster.Controller.Storage;

/// <summary>What a trace can be found by. The numbers are stored in summaries: they never change.</summary>
internal enum TraceField : byte
{
    /// <summary>Any address of the packet, before or after NAT.</summary>
    Host = 0,
    Src = 1,
    Dst = 2,
    Port = 3,
    SrcPort = 4,
    DstPort = 5,
    Protocol = 6,
    Verdict = 7,
    DropReason = 8,
    DropFunction = 9,
    Function = 10,
    Layer = 11,
    Step = 12,
    Device = 13,
    Direction = 14,
    Complete = 15,
    IncompleteReason = 16,
    Comm = 17,
    Mark = 18,
    Family = 19,
    Table = 20,
    Chain = 21,

    /// <summary>A rule's handle.</summary>
    Rule = 22,

    /// <summary>A rule's whole text.</summary>
    RuleText = 23,
    Hook = 24,
    NftVerdict = 25,
    CtState = 26,
    TcpFlags = 27,
    IpId = 28,
    Netns = 29,
    SkbAddr = 30,
    Key = 31,
}

/// <summary>Fields as the API, the command line and the documents name them.</summary>
internal static class TraceFields
{
    public const int Count = (int)TraceField.Key + 1;

    private static readonly Dictionary<string, TraceField> _byName = new(StringComparer.Ordinal)
    {
        ["host"] = TraceField.Host,
        ["src_ip"] = TraceField.Src,
        ["dst_ip"] = TraceField.Dst,
        ["port"] = TraceField.Port,
        ["src_port"] = TraceField.SrcPort,
        ["dst_port"] = TraceField.DstPort,
        ["protocol"] = TraceField.Protocol,
        ["verdict"] = TraceField.Verdict,
        ["drop_reason"] = TraceField.DropReason,
        ["drop_function"] = TraceField.DropFunction,
        ["function"] = TraceField.Function,
        ["layer"] = TraceField.Layer,
        ["step"] = TraceField.Step,
        ["device"] = TraceField.Device,
        ["direction"] = TraceField.Direction,
        ["complete"] = TraceField.Complete,
        ["incomplete_reason"] = TraceField.IncompleteReason,
        ["comm"] = TraceField.Comm,
        ["mark"] = TraceField.Mark,
        ["family"] = TraceField.Family,
        ["table"] = TraceField.Table,
        ["chain"] = TraceField.Chain,
        ["rule"] = TraceField.Rule,
        ["rule_text"] = TraceField.RuleText,
        ["hook"] = TraceField.Hook,
        ["nft_verdict"] = TraceField.NftVerdict,
        ["ct_state"] = TraceField.CtState,
        ["tcp_flags"] = TraceField.TcpFlags,
        ["ip_id"] = TraceField.IpId,
        ["netns"] = TraceField.Netns,
        ["skb_addr"] = TraceField.SkbAddr,
        ["key"] = TraceField.Key,
    };

    public static IReadOnlyCollection<string> Names => _byName.Keys;

    public static bool TryParse(string name, out TraceField field) => _byName.TryGetValue(name, out field);

    public static bool IsAddress(TraceField field) => field is TraceField.Host or TraceField.Src or TraceField.Dst;

    public static bool IsNumber(TraceField field) =>
        field is TraceField.Port or TraceField.SrcPort or TraceField.DstPort or TraceField.Mark or TraceField.Rule or TraceField.IpId or TraceField.Netns or TraceField.SkbAddr;
}
