using NftCluster.Node.Kernel;
using NftCluster.Node.Kernel.Native;
using NftCluster.Node.Kernel.Symbols;

namespace NftCluster.Node.Nftables;

/// <summary>The functions of the kernel that judge packets, and where their arguments are: by type, from BTF, because they moved between kernels.</summary>
internal static class NftFunctions
{
    public const string Trace = "__nft_trace_packet";
    public const string Chain = "nft_do_chain";
    public const string Hook = "nf_hook_slow";
    private const string Module = "nf_tables";

    /// <summary>Fills in the positions. Throws <see cref="KernelException"/> where this kernel has no such function, or one that is not understood.</summary>
    public static void Locate(KernelTypes types, ref NftProbeSetup setup)
    {
        IReadOnlyList<string> trace = Arguments(types, Trace);
        setup.InfoArg = Position(trace, "nft_traceinfo*");
        setup.TypeArg = Position(trace, "nft_trace_types");
        setup.PktArg = Position(trace, "nft_pktinfo*");
        setup.VerdictArg = Position(trace, "nft_verdict*");
        setup.RuleArg = Position(trace, "nft_rule_dp*");
        setup.ChainArg = Position(trace, "nft_chain*");
        if (setup.InfoArg < 0 || setup.TypeArg < 0)
        {
            throw new KernelException($"{Trace}({string.Join(", ", trace)}) is not understood");
        }
        setup.ChainPktArg = Position(Arguments(types, Chain), "nft_pktinfo*");
        setup.HookSkbArg = Position(Arguments(types, Hook), "sk_buff*");
    }

    private static IReadOnlyList<string> Arguments(KernelTypes types, string function) =>
        types.ArgumentsOfFunction(function, Module) ?? throw new KernelException($"this kernel has no function {function}, or inlined it");

    private static sbyte Position(IReadOnlyList<string> arguments, string type) => (sbyte)KernelTypes.PositionOf(arguments, type);
}
