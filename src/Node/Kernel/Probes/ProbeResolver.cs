using NftCluster.Node.Kernel.Symbols;

namespace NftCluster.Node.Kernel.Probes;

/// <summary>A row of the catalog with its argument positions on this kernel (−1 = none), or why it cannot be had here.</summary>
internal sealed record ResolvedProbe(ProbeDefinition Definition, int SkbArg, int ParamArg, int Param2Arg, string? WhyNot)
{
    public bool CanAttach => WhyNot is null;
}

/// <summary>Finds argument positions in BTF: they differ between kernels, so none is written down.</summary>
internal static class ProbeResolver
{
    public static ResolvedProbe Resolve(ProbeDefinition definition, KernelTypes types)
    {
        IReadOnlyList<string>? arguments = definition.Kind switch
        {
            ProbeKind.Function => types.ArgumentsOfFunction(definition.Name, definition.Module),
            ProbeKind.Tracepoint => types.ArgumentsOfTracepoint(definition.Name, definition.Module),
            _ => [], // a netfilter program's context is bpf_nf_ctx, the same for all hooks
        };
        return Resolve(definition, arguments, definition.Module is null || types.HasModule(definition.Module));
    }

    public static ResolvedProbe Resolve(ProbeDefinition definition, IReadOnlyList<string>? arguments, bool moduleLoaded = true)
    {
        // Hooks have one context; what nft's probes need is looked up once its module is there (NftFunctions).
        if (definition.Kind is ProbeKind.Hook or ProbeKind.Nft or ProbeKind.Return)
        {
            return new ResolvedProbe(definition, -1, -1, -1, null);
        }

        if (arguments is null)
        {
            return No(definition, WhyMissing(definition, moduleLoaded));
        }

        int skb = Position(arguments, definition.SkbArgument);
        if (definition.SkbArgument is not null && skb < 0)
        {
            return No(definition, "has no packet (sk_buff*) among its arguments on this kernel");
        }

        int param = Position(arguments, definition.ParamArgument);
        if (param < 0 && definition.Param is ParamKind.Hook or ParamKind.Flow4 or ParamKind.Flow6 or ParamKind.Socket)
        {
            return No(definition, $"has no {definition.ParamArgument} among its arguments on this kernel");
        }

        // A plain value that an older kernel does not pass (a drop reason) is simply absent.
        return new ResolvedProbe(definition, skb, param, Position(arguments, definition.Param2Argument), null);
    }

    private static ResolvedProbe No(ProbeDefinition definition, string why) => new(definition, -1, -1, -1, why);

    private static string WhyMissing(ProbeDefinition definition, bool moduleLoaded) => definition switch
    {
        { Kind: ProbeKind.Tracepoint } => "no such tracepoint in this kernel",
        { Module: { } module } when !moduleLoaded => $"not in this kernel, and module {module} is not loaded",
        _ => "no such function in this kernel, or inlined by its compiler",
    };

    private static int Position(IReadOnlyList<string> arguments, string? wanted) =>
        wanted is null ? -1 : KernelTypes.PositionOf(arguments, wanted);
}
