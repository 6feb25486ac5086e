using NftCluster.Messages;

namespace NftCluster.Cli.Views;

/// <summary>Which rule or policy ended a packet, in one sentence.</summary>
internal static class NftAnswer
{
    /// <summary>The verdict that ended the packet; null where nft did not.</summary>
    public static NftEventRecord? Decision(TraceRecord trace) =>
        trace.FinalVerdict == "dropped" ? trace.NftEvents.LastOrDefault(nft => nft.Verdict == "drop") : null;

    /// <summary>"Dropped in inet filter forward by rule 17 "tcp dport 443 drop""; null where nft did not decide.</summary>
    public static string? Of(TraceRecord trace)
    {
        if (Decision(trace) is not { } nft)
        {
            return null;
        }
        string did = nft.RuleText?.Contains("reject", StringComparison.Ordinal) == true ? "Rejected" : "Dropped";
        return $"{did} in {Place(nft)} by {Rule(nft)}";
    }

    public static string Place(NftEventRecord nft) => $"{nft.Family ?? "?"} {nft.Table ?? "?"} {nft.Chain ?? "?"}";

    public static string Rule(NftEventRecord nft) => (nft.RuleHandle, nft.RuleText) switch
    {
        ({ } handle, { } text) => $"rule {handle} \"{text}\"",
        ({ } handle, null) => $"rule {handle} (text unknown: {nft.TextUnknown ?? "?"})",
        _ when nft.TraceType == "policy" => "the chain's policy",
        _ => "the end of the chain",
    };
}
