using NftCluster.Messages;

namespace NftCluster.Node.Export;

/// <summary>Which traces an export keeps: the valuable ones (docs/export.md), or all.</summary>
internal static class TraceQuality
{
    public const string Valuable = "valuable";
    public const string All = "all";

    private const string Dropped = "dropped";

    /// <summary>A lone event of a packet whose rest was not seen says nothing that a journey could show; a drop or a verdict does.</summary>
    public static bool IsValuable(int events, bool dropped, int nftEvents) => events > 1 || dropped || nftEvents > 0;

    public static bool IsValuable(TraceRecord trace) =>
        IsValuable(trace.Events.Count, trace.DropReason is not null || string.Equals(trace.FinalVerdict, Dropped, StringComparison.Ordinal), trace.NftEvents.Count);

    public static bool Keeps(string quality, TraceRecord trace) =>
        string.Equals(quality, All, StringComparison.Ordinal) || IsValuable(trace);
}
