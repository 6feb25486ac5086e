using System.ComponentModel;
using System.Globalization;
using NftCluster.Node.Kernel;
using NftCluster.Node.Kernel.Filter;
using NftCluster.Node.Kernel.Native;

namespace NftCluster.Node.Nftables;

/// <summary>
/// nft's verdicts where no function of the kernel can be probed: a table of our own marks the packets of one namespace, and a
/// program in the place of a netlink socket's filter takes each trace message as it is made (bpf/nft_messages.bpf.c). Table
/// and program belong to this process: the kernel removes both when it ends, however it ends.
/// </summary>
internal sealed unsafe class NftNetlinkTrace : INftSource
{
    private const string Program = "nft_message";

    private readonly BpfObject _object;
    private readonly NetlinkSocket _socket;
    private readonly OwnChanges _changes;
    private readonly TracingTables _tables;
    private readonly string _netnsPath;
    private readonly HashSet<TracingTable> _refused = [];
    private readonly Dictionary<int, IReadOnlyList<IReadOnlyList<PacketShape>?>> _wanted = [];
    private TraceMarks _marks = TraceMarks.Everything;
    private Ruleset? _ruleset;
    private bool _mayRewrite;

    private NftNetlinkTrace(BpfObject bpf, NetlinkSocket socket, OwnChanges changes, TracingTables tables, string netnsPath) =>
        (_object, _socket, _changes, _tables, _netnsPath) = (bpf, socket, changes, tables, netnsPath);

    /// <summary>Throws <see cref="KernelException"/> with one line that says why verdicts cannot be had.</summary>
    public static NftNetlinkTrace Attach(Func<string, int> mapFd, int row, string netnsPath)
    {
        BpfObject bpf = Load(mapFd, row, netnsPath);
        try
        {
            int program = LibBpf.bpf_program__fd(bpf.Program(Program));
            return NetworkNamespace.Run(netnsPath, () => Open(bpf, program, netnsPath));
        }
        catch
        {
            bpf.Dispose();
            throw;
        }
    }

    /// <summary>Trace messages that the kernel could not show to our filter: it had no memory for a copy.</summary>
    public long MessagesLost => _socket.Drops;

    /// <summary>The kernel counts no misses of a socket's filter.</summary>
    public int ProgramFd => -1;

    /// <summary>
    /// Makes the tables of ours that this ruleset needs and lacks: all at once, or, where a kernel lacks one's family, each by itself.
    /// What was refused once is not asked for again. Called with each ruleset that is read, so also after our own changes.
    /// Remade: packets are marked now that were not before.
    /// </summary>
    public Following Follow(Ruleset ruleset)
    {
        if (!_changes.AreIn(ruleset))
        {
            return Following.Outdated;
        }
        _ruleset = ruleset;
        bool isLost = !_tables.HasInet(ruleset);
        bool wasForNat = _marks.IsForNat;
        bool isMade = MakeMissing(ruleset);
        if (isLost || _wanted.Count > 0)
        {
            _ = Remark(isLost); // what is refused stays as it was, and is tried again with the next ruleset
        }
        return isMade || isLost || (_marks.IsForNat && !wasForNat) ? Following.Remade : Following.Stood;
    }

    /// <summary>
    /// What this session's filters can match is marked from now on: none when it has ended, both while one takes the other's place.
    /// Throws <see cref="KernelException"/> when that cannot be had.
    /// </summary>
    public void Mark(int session, params IReadOnlyList<IReadOnlyList<FilterNode>> filters)
    {
        if (filters.Count == 0)
        {
            _wanted.Remove(session);
        }
        else
        {
            _wanted[session] = [.. filters.Select(FilterShapes.Of)];
            _mayRewrite = DevicePrograms.TryRead(_netnsPath) is not { MayRewrite: false };
        }
        if (Remark(isLost: false) is { } refusal && filters.Count > 0)
        {
            throw new KernelException($"nft refuses the table that marks packets: {refusal}");
        }
    }

    /// <summary>One line that says why nothing was changed; null when the marks are what they should be.</summary>
    private string? Remark(bool isLost)
    {
        TraceMarks marks = _mayRewrite && _wanted.Count > 0 ? TraceMarks.Everything : TraceMarks.For([.. _wanted.Values.SelectMany(shapes => shapes)], _ruleset);
        if (marks == _marks && !isLost)
        {
            return null;
        }
        if (!_changes.Run(_tables.Inet(marks).Commands).Ok)
        {
            marks = TraceMarks.Everything; // an nft that does not know these rules
            NftResult made = _changes.Run(_tables.Inet(marks).Commands);
            if (!made.Ok)
            {
                return made.FirstError;
            }
        }
        _marks = marks;
        return null;
    }

    private bool MakeMissing(Ruleset ruleset)
    {
        TracingTable[] missing = [.. _tables.MissingIn(ruleset).Where(table => !_refused.Contains(table))];
        if (missing.Length == 0)
        {
            return false;
        }
        if (_changes.Run(string.Concat(missing.Select(table => table.Commands))).Ok)
        {
            return true;
        }
        TracingTable[] refused = [.. missing.Where(table => !_changes.Run(table.Commands).Ok)];
        _refused.UnionWith(refused);
        return refused.Length < missing.Length;
    }

    public void Dispose()
    {
        // First the marks, then who listens to them.
        _changes.Dispose();
        _socket.Dispose();
        _object.Dispose();
    }

    private static BpfObject Load(Func<string, int> mapFd, int row, string netnsPath)
    {
        var bpf = BpfObject.Open(BpfObjects.NftMessages, "nft_messages");
        try
        {
            foreach (string map in BpfObjects.NftSharedMaps)
            {
                _ = LibBpf.bpf_map__reuse_fd(bpf.Map(map), mapFd(map));
            }
            ref NftSetup setup = ref bpf.ReadOnlyData<NftSetup>(".rodata", 1)[0];
            setup = new NftSetup { Netns = NetworkNamespace.Inode(netnsPath), Probe = (ushort)row };
            LibbpfLog.Capture();
            int errno = bpf.Load();
            return errno == 0 ? bpf : throw new KernelException($"the kernel refuses the program that takes nft's messages: {new Win32Exception(errno).Message}: {LibbpfLog.LastLine(LibbpfLog.Captured)}");
        }
        catch
        {
            bpf.Dispose();
            throw;
        }
    }

    private static NftNetlinkTrace Open(BpfObject bpf, int program, string netnsPath)
    {
        var socket = NetlinkSocket.Open();
        OwnChanges? changes = null;
        try
        {
            socket.AttachFilter(program);
            socket.Join(NetlinkSocket.GroupNftrace);
            changes = OwnChanges.Open();
            TracingTables tables = new(NewSuffix());
            NftResult made = changes.Run(tables.Inet(TraceMarks.Everything).Commands);
            return made.Ok ? new NftNetlinkTrace(bpf, socket, changes, tables, netnsPath) : throw new KernelException($"nft refuses the table that marks packets: {made.FirstError}");
        }
        catch
        {
            changes?.Dispose();
            socket.Dispose();
            throw;
        }
    }

    /// <summary>A second instance has tables of its own.</summary>
    private static string NewSuffix() => string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}-{Guid.NewGuid().ToString("N")[..8]}");
}
