using NftCluster.Node.Kernel.Probes;

namespace NftCluster.Node.Kernel;

/// <summary>The programs of one kind in bpf/tracing.bpf.c, given out one by one: doors first, steps after them.</summary>
internal sealed class SlotRow(string prefix, int firstDescription, int slots, int doors)
{
    private readonly int _doors = doors;
    private int _nextDoor;
    private int _nextStep = doors;

    public static bool IsDoor(ProbeRole role) => role is ProbeRole.Receive or ProbeRole.LocalOut or ProbeRole.Queue or ProbeRole.Xmit or ProbeRole.Drop;

    /// <summary>The program's name and the index of its description in .rodata.</summary>
    public (string Program, int Description) Take(ProbeRole role)
    {
        bool isDoor = IsDoor(role);
        int slot = isDoor ? _nextDoor++ : _nextStep++;
        return slot < (isDoor ? _doors : slots)
            ? (prefix + slot, firstDescription + slot)
            : throw new KernelException($"the catalog has more probes than bpf/trace_abi.h has {prefix} slots: this build is inconsistent");
    }
}
