using System.Globalization;
using NftCluster.Node.Kernel;

namespace NftCluster.Node.Nftables;

/// <summary>
/// The table that makes the kernel pass every verdict to __nft_trace_packet(): its one chain is hooked in nowhere, so no packet meets it
/// and none is marked; that its rule exists is enough. It belongs to this process: another's `flush ruleset` leaves it, and the kernel
/// removes it when the process ends, however it ends.
/// </summary>
internal sealed class ArmingTable : IDisposable
{
    private readonly OwnChanges _changes;
    private readonly string _name;

    private ArmingTable(OwnChanges changes, string name) => (_changes, _name) = (changes, name);

    /// <summary>In the namespace of the calling thread. Throws <see cref="KernelException"/> with one line that says why not.</summary>
    public static ArmingTable Open()
    {
        // A second instance has a table of its own.
        string name = string.Create(CultureInfo.InvariantCulture, $"{RulesetTable.OwnPrefix}-{Environment.ProcessId}-{Guid.NewGuid().ToString("N")[..8]}");
        ArmingTable table = new(OwnChanges.Open(), name);
        NftResult made = table.Make();
        if (made.Ok)
        {
            return table;
        }
        table.Dispose();
        throw new KernelException($"nft refuses the table that switches tracing on: {made.FirstError}");
    }

    /// <summary>Made anew where it is gone.</summary>
    public Following Follow(Ruleset ruleset) =>
        !_changes.AreIn(ruleset) ? Following.Outdated
        : !ruleset.Chains.Any(chain => chain.Table.Name == _name && chain.Rules.Count > 0) && Make().Ok ? Following.Remade
        : Following.Stood;

    public void Dispose() => _changes.Dispose();

    private NftResult Make() => _changes.Run($"add table inet {_name} {{ flags owner; }}\ndelete table inet {_name}\ntable inet {_name} {{ flags owner;\nchain trace {{ meta nftrace set 1; }}\n}}\n");
}
