using NftCluster.Node.Kernel.Filter;
using NftCluster.Node.Kernel.Native;

namespace NftCluster.Node.Kernel;

/// <summary>
/// The sessions as the kernel half sees them: which bits run, what each wants, and the filter nodes in one shared pool. A new
/// filter is written beside the old one, then the session is pointed at it in one store.
/// </summary>
internal sealed unsafe class SessionFilters(FilterMaps maps, uint wakeBacklog)
{
    private readonly bool[] _reserved = new bool[TraceAbi.MaxSessions];
    private readonly Running?[] _running = new Running?[TraceAbi.MaxSessions];
    private int _next;
    private uint _generation;

    /// <summary>The bit's session wants nothing until it is given a filter.</summary>
    public int Reserve()
    {
        // In turn: packets in flight keep the bit of a session that has ended, and must not be the next session's.
        for (int i = 0; i < _reserved.Length; i++)
        {
            int bit = (_next + i) % _reserved.Length;
            if (!_reserved[bit])
            {
                _reserved[bit] = true;
                _next = bit + 1;
                return bit;
            }
        }
        throw new KernelException($"{TraceAbi.MaxSessions} sessions are running: stop one first");
    }

    public void Replace(int bit, SessionFilter want, IReadOnlyList<FilterNode> nodes)
    {
        _running[bit] = Write(bit, want, nodes);
        WriteControl();
    }

    /// <summary>The kernel half asks no more for this bit; nobody else gets it yet.</summary>
    public void Quiet(int bit)
    {
        _running[bit] = null;
        WriteControl();
    }

    public void Close(int bit)
    {
        Quiet(bit);
        _reserved[bit] = false;
    }

    private Running Write(int bit, SessionFilter want, IReadOnlyList<FilterNode> nodes)
    {
        want.FirstNode = Room(nodes.Count);
        want.NodeCount = (uint)nodes.Count;
        for (int i = 0; i < nodes.Count; i++)
        {
            uint key = want.FirstNode + (uint)i;
            FilterNode node = nodes[i];
            Update(maps.FilterNodes, &key, &node);
        }
        uint session = (uint)bit;
        Update(maps.SessionFilters, &session, &want);
        return new Running(want, FilterReads.Of(want, nodes));
    }

    /// <summary>First fit between the ranges in use; the session's own old range counts as in use until it is replaced.</summary>
    private uint Room(int count)
    {
        uint candidate = 0;
        foreach (Running used in _running.OfType<Running>().OrderBy(r => r.Want.FirstNode))
        {
            if (used.Want.NodeCount > 0 && candidate + count > used.Want.FirstNode)
            {
                candidate = Math.Max(candidate, used.Want.FirstNode + used.Want.NodeCount);
            }
        }
        return candidate + count <= FilterNode.MaxNodes
            ? candidate
            : throw new KernelException($"the filters of all sessions together need more than {FilterNode.MaxNodes} nodes: shorten this one or stop another session");
    }

    private void WriteControl()
    {
        // After the filters themselves: an answer that the kernel half keeps under the old number is that of the old filters or newer.
        Control control = new() { WakeBacklog = wakeBacklog, FilterGeneration = ++_generation };
        for (int bit = 0; bit < _running.Length; bit++)
        {
            if (_running[bit] is { } running)
            {
                bool asks = running.Want.NodeCount > 0 || running.Want.Ifindex != 0 || running.Want.MarkMask != 0;
                control.AllMask |= asks ? 0 : 1UL << bit;
                control.FilteredMask |= asks ? 1UL << bit : 0;
            }
        }
        control.VerdictMask = control.AllMask | control.FilteredMask;
        uint[] namespaces = [.. _running.OfType<Running>().Select(r => r.Want.Netns).Distinct()];
        control.GateNetns = namespaces.Length == 1 ? namespaces[0] : 0;
        if (namespaces.Length > 1)
        {
            // Several namespaces: each packet's own is compared, session by session.
            control.FilteredMask |= control.AllMask;
            control.AllMask = 0;
        }
        // Before the new number: whoever reads that finds what goes with it.
        uint key = control.FilterGeneration % TraceAbi.FilterReads;
        Question reads = FilterReads.Together(_running.OfType<Running>().Select(r => r.Reads));
        Update(maps.FilterReads, &key, &reads);
        key = 0;
        Update(maps.Control, &key, &control);
    }

    private static void Update(int fd, void* key, void* value)
    {
        int error = LibBpf.bpf_map_update_elem(fd, key, value, 0);
        if (error != 0)
        {
            throw new KernelException($"the kernel refuses a map update: {new System.ComponentModel.Win32Exception(-error).Message}");
        }
    }

    private sealed record Running(SessionFilter Want, Question Reads);
}

/// <summary>Descriptors of the maps that say who wants what.</summary>
internal readonly record struct FilterMaps(int Control, int SessionFilters, int FilterNodes, int FilterReads);
