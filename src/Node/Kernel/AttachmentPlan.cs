using NftCluster.Node.Kernel.Native;
using NftCluster.Node.Kernel.Probes;

namespace NftCluster.Node.Kernel;

/// <summary>One row of the catalog with the backends to try, best first, or why it is not attached.</summary>
internal sealed record PlannedProbe(int Index, ResolvedProbe Probe, IReadOnlyList<Backend> Backends, string? WhyNot)
{
    /// <summary>The row as the kernel half takes it.</summary>
    public ProbeDesc Describe()
    {
        ProbeDefinition definition = Probe.Definition;
        byte flags = (byte)((definition.InProcess ? TraceAbi.ProbeComm : 0) | (definition.Defers ? TraceAbi.ProbeDefer : 0));
        return new ProbeDesc((ushort)Index, (byte)definition.Role, (byte)definition.Param, (sbyte)Probe.SkbArg, (sbyte)Probe.ParamArg, (sbyte)Probe.Param2Arg, flags);
    }
}

/// <summary>
/// Chooses, per probe, what to try: fentry, else kprobe-multi, else kprobe; tracepoints as they are; netfilter hooks only where
/// nf_hook_slow cannot be watched; nft's verdicts by a function, else by netlink. Forcing a backend says how *functions* are watched: the
/// doors stay tracepoints everywhere.
/// </summary>
internal static class AttachmentPlan
{
    private const string HookFunction = "nf_hook_slow";

    private static readonly Backend[] _functionBackends = [Backend.Fentry, Backend.KprobeMulti, Backend.Kprobe];

    /// <remarks>isFunction: whether the kernel has a function of exactly this name; asked only where functions can be watched.</remarks>
    public static IReadOnlyList<PlannedProbe> Make(IReadOnlyList<ResolvedProbe> catalog, IReadOnlySet<ProbeDefinition> selected, KernelCapabilities can, Backend? forced, bool oneNamespace, Func<string, bool> isFunction)
    {
        Backend[] functions = [.. _functionBackends.Where(b => can.WhyNot(b) is null && (forced is null || forced == b))];
        bool hookFunctionWatched = functions.Length > 0
            && catalog.Any(p => p.Definition is { Kind: ProbeKind.Function, Name: HookFunction } && p.CanAttach && selected.Contains(p.Definition));
        var plan = new PlannedProbe[catalog.Count];
        for (int i = 0; i < plan.Length; i++)
        {
            ResolvedProbe probe = catalog[i];
            string? whyNot = !selected.Contains(probe.Definition) ? "not selected (--probes)" : probe.WhyNot;
            Backend[] backends = whyNot is not null ? [] : probe.Definition.Kind switch
            {
                ProbeKind.Tracepoint => [Backend.Tracepoint],
                ProbeKind.Function => functions,
                ProbeKind.Nft => forced is null ? [.. functions, Backend.NftNetlink] : IsForFunctions(forced.Value) ? functions : [Backend.NftNetlink],
                ProbeKind.Return => [.. functions.Where(b => b is Backend.Fentry or Backend.Kprobe)],
                _ => [Backend.Netfilter],
            };
            if (whyNot is null && backends.Length == 0)
            {
                whyNot = probe.Definition.Kind == ProbeKind.Return && forced == Backend.KprobeMulti
                    ? "kprobe-multi tells no return from its call: --backend kprobe does"
                    : WhyNoFunctionBackend(can, forced);
            }
            if (whyNot is null && probe.Definition.Kind == ProbeKind.Function && !isFunction(probe.Definition.Name))
            {
                // Each would cost a load, a refusal, and another load of all the others.
                whyNot = "described by this kernel's BTF, but inlined or renamed by its compiler";
            }
            if (whyNot is null && probe.Definition.Kind == ProbeKind.Hook)
            {
                whyNot = WhyNoHook(can, forced, oneNamespace, hookFunctionWatched);
            }
            if (whyNot is null && probe.Definition.Kind is ProbeKind.Nft or ProbeKind.Return && !oneNamespace)
            {
                whyNot = "nft's trace belongs to one namespace: name it with --netns";
            }
            plan[i] = new PlannedProbe(i, probe, whyNot is null ? backends : [], whyNot);
        }
        return plan;
    }

    private static bool IsForFunctions(Backend backend) => Array.IndexOf(_functionBackends, backend) >= 0;

    private static string WhyNoFunctionBackend(KernelCapabilities can, Backend? forced) => forced switch
    {
        Backend.Tracepoint or Backend.Netfilter or Backend.NftNetlink => $"--backend {Backends.NameOf(forced.Value)} leaves functions out",
        { } backend => can.WhyNot(backend) ?? "refused",
        null => $"fentry: {can.WhyNoFentry}; kprobe: {can.WhyNoKprobe}",
    };

    private static string? WhyNoHook(KernelCapabilities can, Backend? forced, bool oneNamespace, bool hookFunctionWatched) =>
        forced is not null and not Backend.Netfilter and not Backend.NftNetlink ? $"--backend {Backends.NameOf(forced.Value)} leaves hooks out"
        : hookFunctionWatched && forced is null ? $"{HookFunction} shows it"
        : can.WhyNoNetfilter is { } why ? why
        : oneNamespace ? null
        : "netfilter links belong to one namespace: name it with --netns";
}
