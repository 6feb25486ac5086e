using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using NftCluster.Node.Kernel;
using NftCluster.Node.Kernel.Native;

namespace NftCluster.Node.Nftables;

/// <summary>A socket to the kernel's netfilter, in the network namespace of the thread that opens it.</summary>
internal sealed unsafe class NetlinkSocket : IDisposable
{
    public const int GroupNftables = 7;
    public const int GroupNftrace = 9;

    /// <summary>Nothing there now.</summary>
    public const int Nothing = 0;

    /// <summary>The kernel had to drop messages for this socket since the last answer of this kind (ENOBUFS).</summary>
    public const int Overrun = -1;

    private readonly SafeFileHandle _socket;

    private NetlinkSocket(SafeFileHandle socket) => _socket = socket;

    public static NetlinkSocket Open(int protocol = LibcSocket.NETLINK_NETFILTER)
    {
        int descriptor = LibcSocket.socket(LibcSocket.AF_NETLINK, LibcSocket.SOCK_RAW | LibcSocket.SOCK_CLOEXEC, protocol);
        if (descriptor < 0)
        {
            throw new KernelException($"no netlink socket to netfilter: {Marshal.GetLastPInvokeErrorMessage()}: this kernel needs CONFIG_NETFILTER_NETLINK");
        }
        SafeFileHandle socket = new(descriptor, ownsHandle: true);
        sockaddr_nl address = new() { nl_family = LibcSocket.AF_NETLINK };
        if (LibcSocket.bind(socket, &address, (uint)sizeof(sockaddr_nl)) != 0)
        {
            socket.Dispose();
            throw new Win32Exception(Marshal.GetLastPInvokeError(), "cannot bind a netlink socket");
        }
        return new NetlinkSocket(socket);
    }

    public int Descriptor => (int)_socket.DangerousGetHandle();

    /// <summary>Messages of this group from now on. Needs CAP_NET_ADMIN.</summary>
    public void Join(int group)
    {
        if (LibcSocket.setsockopt(_socket, LibcSocket.SOL_NETLINK, LibcSocket.NETLINK_ADD_MEMBERSHIP, &group, sizeof(int)) != 0)
        {
            throw new KernelException($"cannot listen to netfilter's group {group}: {Marshal.GetLastPInvokeErrorMessage()}: run it with sudo");
        }
    }

    /// <summary>Beyond the system's limit; without the right to do that the socket keeps what it has.</summary>
    public void SetReceiveBuffer(int bytes) =>
        _ = LibcSocket.setsockopt(_socket, LibcSocket.SOL_SOCKET, LibcSocket.SO_RCVBUFFORCE, &bytes, sizeof(int));

    /// <summary>Only messages whose first header has this type reach the socket; the others take no room in its buffer.</summary>
    public void AcceptOnly(ushort messageType)
    {
        // Classic BPF loads big-endian, netlink headers are in the machine's order.
        ushort loaded = BitConverter.IsLittleEndian ? System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(messageType) : messageType;
        sock_filter* program = stackalloc sock_filter[4]
        {
            new(0x28, 0, 0, 4), // ldh [4]: nlmsg_type
            new(0x15, 0, 1, loaded), // jeq
            new(0x06, 0, 0, uint.MaxValue), // take it whole
            new(0x06, 0, 0, 0),
        };
        sock_fprog filter = new() { len = 4, filter = program };
        if (LibcSocket.setsockopt(_socket, LibcSocket.SOL_SOCKET, LibcSocket.SO_ATTACH_FILTER, &filter, (uint)sizeof(sock_fprog)) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError(), "cannot attach a filter to a netlink socket");
        }
    }

    /// <summary>A loaded BPF program decides about every message, on the CPU that makes it.</summary>
    public void AttachFilter(int program)
    {
        if (LibcSocket.setsockopt(_socket, LibcSocket.SOL_SOCKET, LibcSocket.SO_ATTACH_BPF, &program, sizeof(int)) != 0)
        {
            throw new KernelException($"the kernel refuses a BPF filter on a netlink socket: {Marshal.GetLastPInvokeErrorMessage()}");
        }
    }

    /// <summary>Messages that the kernel could not give to this socket, for want of room or memory: its own count.</summary>
    public long Drops
    {
        get
        {
            const int Words = LibcSocket.SK_MEMINFO_DROPS + 1;
            uint* words = stackalloc uint[Words];
            uint size = Words * sizeof(uint);
            return LibcSocket.getsockopt(_socket, LibcSocket.SOL_SOCKET, LibcSocket.SO_MEMINFO, words, &size) == 0 ? words[LibcSocket.SK_MEMINFO_DROPS] : 0;
        }
    }

    public void Send(ReadOnlySpan<byte> message)
    {
        fixed (byte* bytes = message)
        {
            if (LibcSocket.send(_socket, bytes, (nuint)message.Length, 0) < 0)
            {
                throw new Win32Exception(Marshal.GetLastPInvokeError(), "cannot send to netfilter");
            }
        }
    }

    /// <summary>True when there is something to receive before the time is over.</summary>
    public bool Wait(TimeSpan most)
    {
        pollfd descriptor = new() { fd = Descriptor, events = Libc.POLLIN };
        var time = timespec.Of(most);
        return Libc.ppoll(&descriptor, 1, &time, null) > 0;
    }

    /// <summary>The bytes of one datagram, <see cref="Nothing"/> or <see cref="Overrun"/>.</summary>
    public int TryReceive(Span<byte> buffer) => Receive(buffer, LibcSocket.MSG_DONTWAIT);

    /// <summary>Waits for one datagram.</summary>
    public int Receive(Span<byte> buffer) => Receive(buffer, 0);

    public void Dispose() => _socket.Dispose();

    private int Receive(Span<byte> buffer, int flags)
    {
        fixed (byte* bytes = buffer)
        {
            while (true)
            {
                nint length = LibcSocket.recv(_socket, bytes, (nuint)buffer.Length, flags | LibcSocket.MSG_TRUNC);
                if (length >= 0)
                {
                    return length <= buffer.Length ? (int)length : throw new KernelException($"a netlink message of {length} bytes does not fit into {buffer.Length}");
                }
                switch (Marshal.GetLastPInvokeError())
                {
                    case LibcSocket.EINTR:
                        continue;
                    case LibcSocket.EAGAIN:
                        return Nothing;
                    case LibcSocket.ENOBUFS:
                        return Overrun;
                    default:
                        throw new Win32Exception(Marshal.GetLastPInvokeError(), "cannot receive from netfilter");
                }
            }
        }
    }
}
