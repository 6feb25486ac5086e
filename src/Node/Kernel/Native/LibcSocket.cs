using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace NftCluster.Node.Kernel.Native;

/// <summary>Sockets of a family that .NET's own do not know: netlink.</summary>
internal static unsafe partial class LibcSocket
{
    public const int AF_NETLINK = 16;
    public const int SOCK_RAW = 3;
    public const int SOCK_CLOEXEC = 0x80000;
    public const int NETLINK_ROUTE = 0;
    public const int NETLINK_NETFILTER = 12;
    public const int SOL_SOCKET = 1;
    public const int SO_RCVBUFFORCE = 33;
    public const int SO_ATTACH_FILTER = 26;
    public const int SO_ATTACH_BPF = 50;
    public const int SO_DETACH_FILTER = 27;
    public const int SO_MEMINFO = 55;

    /// <summary>SK_MEMINFO_DROPS: which word of SO_MEMINFO counts what the kernel could not give to the socket.</summary>
    public const int SK_MEMINFO_DROPS = 8;
    public const int SOL_NETLINK = 270;
    public const int NETLINK_ADD_MEMBERSHIP = 1;
    public const int MSG_DONTWAIT = 0x40;
    public const int MSG_TRUNC = 0x20;
    public const int EINTR = 4;
    public const int EAGAIN = 11;
    public const int ENOBUFS = 105;

    private const string Soname = "libc.so.6";

    [LibraryImport(Soname, SetLastError = true)]
    public static partial int socket(int domain, int type, int protocol);

    [LibraryImport(Soname, SetLastError = true)]
    public static partial int bind(SafeFileHandle sockfd, sockaddr_nl* addr, uint addrlen);

    [LibraryImport(Soname, SetLastError = true)]
    public static partial int setsockopt(SafeFileHandle sockfd, int level, int optname, void* optval, uint optlen);

    [LibraryImport(Soname, SetLastError = true)]
    public static partial int getsockopt(SafeFileHandle sockfd, int level, int optname, void* optval, uint* optlen);

    [LibraryImport(Soname, SetLastError = true)]
    public static partial nint send(SafeFileHandle sockfd, byte* buf, nuint len, int flags);

    [LibraryImport(Soname, SetLastError = true)]
    public static partial nint recv(SafeFileHandle sockfd, byte* buf, nuint len, int flags);
}

[StructLayout(LayoutKind.Sequential)]
internal struct sockaddr_nl
{
    public ushort nl_family;
    public ushort nl_pad;
    public uint nl_pid;
    public uint nl_groups;
}

/// <summary>struct sock_filter: one instruction of classic BPF.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct sock_filter(ushort code, byte jt, byte jf, uint k)
{
    private readonly ushort code = code;
    private readonly byte jt = jt;
    private readonly byte jf = jf;
    private readonly uint k = k;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct sock_fprog
{
    public ushort len;
    public sock_filter* filter;
}
