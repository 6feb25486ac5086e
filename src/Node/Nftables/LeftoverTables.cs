using System.Globalization;

namespace NftCluster.Node.Nftables;

/// <summary>
/// Tables of ours that outlived their process, as a ruleset that was saved and loaded again leaves them, or a kernel that knows no owner
/// of a table (before Linux 5.12): they would go on marking packets for nobody.
/// </summary>
internal static class LeftoverTables
{
    /// <summary>In the namespace of the calling thread; what a living process has, or the kernel keeps for its owner, stays.</summary>
    public static void Sweep(NftContext context)
    {
        using NftNetlink netlink = new();
        foreach (RulesetTable table in RulesetStructure.Dump(netlink)?.Tables ?? [])
        {
            if (table is { IsOurs: true, IsOwned: false } && ProcessOf(table.Name) is { } process && !Directory.Exists($"/proc/{process}"))
            {
                _ = context.Run($"delete table {NftNames.Of(table.Family)} {table.Name}");
            }
        }
    }

    /// <summary>The names say whose they are: nftcluster-PID-…, nftcluster_PID-…</summary>
    private static int? ProcessOf(string name)
    {
        ReadOnlySpan<char> rest = name.AsSpan(RulesetTable.OwnPrefix.Length);
        int end = rest.Length < 2 ? -1 : rest[1..].IndexOf('-') + 1;
        return end > 1 && rest[0] is '-' or '_' && int.TryParse(rest[1..end], NumberStyles.None, CultureInfo.InvariantCulture, out int process) ? process : null;
    }
}
