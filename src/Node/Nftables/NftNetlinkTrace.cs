using System.ComponentModel;
using System.Globalization;
using NftCluster.Node.Kernel;
using NftCluster.Node.Kernel.Native;

namespace NftCluster.Node.Nftables;

/// <summary>
/// nft's verdicts where no function of the kernel can be probed: a table of our own marks the packets of one namespace, and a
/// program in the place of a netlink socket's filter takes each trace message as it is made (bpf/nft_messages.bpf.c). Table
/// and program belong to this process: the kernel removes both when it ends, however it ends.
/// </summary>
internal sealed unsafe class NftNetlinkTrace : IDisposable
{
    private const string Program = "nft_message";

    /// <summary>Before conntrack, defragmentation and every chain that a person would write.</summary>
    private const int First = -2_000_000;

    private readonly BpfObject _object;
    private readonly NetlinkSocket _socket;
    private readonly NftContext _context;

    private NftNetlinkTrace(BpfObject bpf, NetlinkSocket socket, NftContext context) => (_object, _socket, _context) = (bpf, socket, context);

    /// <summary>Throws <see cref="KernelException"/> with one line that says why verdicts cannot be had.</summary>
    public static NftNetlinkTrace Attach(KernelProbes probes, int row, string netnsPath)
    {
        BpfObject bpf = Load(probes, row, netnsPath);
        try
        {
            int program = LibBpf.bpf_program__fd(bpf.Program(Program));
            return NetworkNamespace.Run(netnsPath, () => Open(bpf, program));
        }
        catch
        {
            bpf.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        // First the marks, then who listens to them.
        _context.Dispose();
        _socket.Dispose();
        _object.Dispose();
    }

    private static BpfObject Load(KernelProbes probes, int row, string netnsPath)
    {
        var bpf = BpfObject.Open(BpfObjects.NftMessages, "nft_messages");
        try
        {
            foreach (string map in BpfObjects.NftSharedMaps)
            {
                _ = LibBpf.bpf_map__reuse_fd(bpf.Map(map), probes.MapFd(map));
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

    private static NftNetlinkTrace Open(BpfObject bpf, int program)
    {
        var socket = NetlinkSocket.Open();
        NftContext? context = null;
        try
        {
            socket.AttachFilter(program);
            socket.Join(NetlinkSocket.GroupNftrace);
            context = NftContext.Open();
            NftResult made = context.Run(TableText());
            return made.Ok ? new NftNetlinkTrace(bpf, socket, context) : throw new KernelException($"nft refuses the table that marks packets: {made.FirstError}");
        }
        catch
        {
            context?.Dispose();
            socket.Dispose();
            throw;
        }
    }

    /// <summary>
    /// One table a process: a second instance has its own. The rule ends its chain itself: else the kernel would make three
    /// messages of it (the rule, the end of the chain, the policy), each some microseconds.
    /// </summary>
    private static string TableText()
    {
        static string Chain(string hook) => string.Create(CultureInfo.InvariantCulture, $"chain {hook} {{ type filter hook {hook} priority {First}; policy accept; meta nftrace set 1 accept; }}\n");
        return $"table inet {RulesetTable.OwnPrefix}-{Environment.ProcessId}-{Guid.NewGuid().ToString("N")[..8]} {{ flags owner;\n{Chain("prerouting")}{Chain("output")}}}\n";
    }
}
