using NftCluster.Messages;
using NftCluster.Node.Kernel;
using NftCluster.Node.Nftables;
using NftCluster.Node.Pipeline;

namespace NftCluster.Node.Export;

/// <summary>The verdicts of a trace in their public shape, each bound to the rule as it was when it judged.</summary>
internal sealed class NftRecordFactory(RulesetHistory history, DeviceNames devices)
{
    // enum ip_conntrack_info as bits: NF_CT_STATE_BIT.
    private static readonly (uint Bit, string Name)[] _ctStates = [(1, "invalid"), (2, "established"), (4, "related"), (8, "new"), (64, "untracked")];

    /// <summary>False while the history cannot tell yet which ruleset was in force; then ask again a little later.</summary>
    public bool CanBind(PacketTrace trace) =>
        trace.NftVerdictCount == 0 || history.IsSettled((long)trace.NftVerdicts[^1].TimestampNs);

    public List<NftEventRecord> Make(PacketTrace trace, Func<ulong, string> wall)
    {
        List<NftEventRecord> records = new(trace.NftVerdictCount);
        ChainHook? hook = null;
        foreach (ref readonly NftVerdict verdict in trace.NftVerdicts)
        {
            RulePlace place = new((NftFamily)verdict.Family, verdict.Table, verdict.Chain, verdict.RuleHandle);
            RuleBinding binding = history.Bind(place, (long)verdict.TimestampNs);
            // A chain that was jumped to has no hook of its own: it runs in that of the base chain before it.
            hook = binding.Chain?.Hook ?? hook;
            records.Add(new NftEventRecord
            {
                Timestamp = wall(verdict.TimestampNs),
                OffsetNs = (long)(verdict.TimestampNs - trace.FirstNs),
                SkbAddr = trace.IsNftOnly ? null : TraceRecordFactory.Hex(trace.SkbAddr),
                ChainAddr = verdict.ChainAddr == 0 ? null : TraceRecordFactory.Hex(verdict.ChainAddr),
                ExprAddr = verdict.RuleAddr == 0 ? null : TraceRecordFactory.Hex(verdict.RuleAddr),
                Verdict = NameOf(verdict.Code),
                Hook = hook?.Hook,
                ChainType = hook?.Type,
                Priority = hook?.Priority,
                RuleHandle = verdict.RuleHandle == 0 ? null : (long)verdict.RuleHandle,
                TraceType = NameOf(verdict.Type),
                Family = NftNames.Of((NftFamily)verdict.Family),
                Table = verdict.Table,
                Chain = verdict.Chain,
                RuleText = binding.Rule?.Text,
                RulesetGeneration = binding.Generation,
                TextUnknown = verdict.RuleHandle == 0 || binding.Rule?.Text is not null ? null : NameOf(binding.State),
                JumpTarget = verdict.JumpTarget,
                InDevice = devices.Find(trace.Netns, verdict.Iif),
                OutDevice = devices.Find(trace.Netns, verdict.Oif),
                Mark = verdict.HasMark ? verdict.Mark : null,
                CtId = verdict.CtId == 0 ? null : verdict.CtId,
                CtState = CtState(verdict.CtState),
                CtStatus = verdict.CtId == 0 ? null : verdict.CtStatus,
            });
        }
        return records;
    }

    private static string NameOf(int code) => code switch
    {
        -1 => "continue",
        -2 => "break",
        -3 => "jump",
        -4 => "goto",
        -5 => "return",
        _ => (code & 0xff) switch // an errno or a queue number above
        {
            0 => "drop",
            1 => "accept",
            2 => "stolen",
            3 => "queue",
            4 => "repeat",
            5 => "stop",
            _ => $"verdict-{code}",
        },
    };

    private static string NameOf(NftTraceType type) => type switch
    {
        NftTraceType.Policy => "policy",
        NftTraceType.Return => "return",
        NftTraceType.Rule => "rule",
        _ => "unknown",
    };

    private static string NameOf(BindingState state) => state switch
    {
        BindingState.NotRead => "not-read",
        BindingState.Ambiguous => "ambiguous",
        BindingState.OutOfReach => "out-of-reach",
        BindingState.Pending => "pending",
        BindingState.NoSuchRule => "no-such-rule",
        _ => "unknown",
    };

    private static string? CtState(uint bits)
    {
        foreach ((uint bit, string name) in _ctStates)
        {
            if ((bits & bit) != 0)
            {
                return name;
            }
        }
        return null;
    }
}
