using NftCluster.Node.Kernel.Native;

namespace NftCluster.Node.Kernel;

/// <summary>A BPF netfilter link (Linux 6.4): belongs to the namespace in which it is made.</summary>
internal static unsafe class NetfilterLink
{
    private const int BpfLinkCreate = 28;
    private const uint PfInet = 2;
    private const uint PfInet6 = 10;

    // INT_MIN and INT_MAX themselves are refused by the kernel.
    private const int First = int.MinValue + 1;
    private const int Last = int.MaxValue - 1;

    private static readonly string[] _hooks = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"];

    /// <summary>A descriptor, or -errno. <paramref name="hook"/> as in the catalog: "ipv4/FORWARD".</summary>
    public static int Create(int program, string hook, string? netnsPath)
    {
        string[] parts = hook.Split('/');
        uint family = parts[0] == "ipv6" ? PfInet6 : PfInet;
        int number = Array.IndexOf(_hooks, parts[1]);
        int Link()
        {
            // union bpf_attr, link_create: prog_fd, target_fd, attach_type, flags, netfilter { pf, hooknum, priority, flags }
            uint* attributes = stackalloc uint[16];
            new Span<uint>(attributes, 16).Clear();
            attributes[0] = (uint)program;
            attributes[2] = LibBpf.BPF_NETFILTER;
            attributes[4] = family;
            attributes[5] = (uint)number;
            // After NAT on the way out, before everything on the way in: what the packet looked like on the wire.
            attributes[6] = unchecked((uint)(parts[1] == "POSTROUTING" ? Last : First));
            return BpfSyscall.Call(BpfLinkCreate, attributes, 64);
        }
        return netnsPath is null ? Link() : NetworkNamespace.Run(netnsPath, Link);
    }
}
