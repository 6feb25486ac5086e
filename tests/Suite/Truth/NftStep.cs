using System.Globalization;
using NftCluster.Messages;

namespace NftCluster.Tests.Truth;

/// <summary>
/// One step of a packet through a ruleset, from whatever source. The implicit end of a chain has neither handle nor label; kernels
/// call it, and a rule that says <c>return</c>, by different types: here they are an "end" and a "rule" on all of them.
/// </summary>
internal sealed record NftStep(string Family, string Table, string Chain, string What, long? Handle, string Verdict)
{
    public const string End = "end";
    public const string Policy = "policy";
    public const string Rule = "rule";

    public bool IsOurs => Table.StartsWith("nftcluster", StringComparison.Ordinal);

    public static NftStep Of(NftEventRecord e)
    {
        string what = e.TraceType == Policy ? Policy : e.RuleHandle is null ? End : Rule;
        return new NftStep(e.Family!, e.Table!, e.Chain!, what, e.RuleHandle, e.JumpTarget is null ? e.Verdict : $"{e.Verdict} {e.JumpTarget}");
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Family} {Table} {Chain} {What}{(Handle is null ? "" : $" {Handle}")} {Verdict}");

    public static string Words(IEnumerable<NftStep> steps) => string.Join("; ", steps);

    /// <summary>As nft's monitor can tell them: it says nothing where a message has neither rule nor policy, and no handle with a return.</summary>
    public static string AsMonitored(IEnumerable<NftStep> steps) =>
        Words(steps.Where(step => step.What != End).Select(step => step.Verdict == "return" ? step with { Handle = null } : step));
}
