using System.Buffers.Binary;
using NftCluster.Node.Kernel;
using NftCluster.Node.Kernel.Native;

namespace NftCluster.Node.Nftables;

/// <summary>
/// Programs on a namespace's devices that see packets before the first chain: XDP, and what hangs at a device's ingress. Asked by
/// route netlink. A program attached to tcx (Linux 6.6) is not told of there.
/// </summary>
internal sealed record DevicePrograms(IReadOnlyList<string> Xdp, IReadOnlyList<string> GenericXdp, IReadOnlyList<string> Ingress)
{
    private const int GetLink = 18;
    private const int GetQdisc = 38;
    private const ushort FlagRequestDump = 0x301;
    private const int LinkHeader = 16; // struct ifinfomsg
    private const int QdiscHeader = 20; // struct tcmsg
    private const int IndexAt = 4; // in both

    public static DevicePrograms None { get; } = new([], [], []);

    /// <summary>What is here may change a packet's addresses after its filter was asked, and before the first chain.</summary>
    public bool MayRewrite => GenericXdp.Count + Ingress.Count > 0;

    public static DevicePrograms Read(string netnsPath) => NetworkNamespace.Run(netnsPath, Read);

    /// <summary>Null where that cannot be asked: the namespace has gone.</summary>
    public static DevicePrograms? TryRead(string netnsPath)
    {
        try
        {
            return Read(netnsPath);
        }
        catch (Exception gone) when (gone is IOException or KernelException or System.ComponentModel.Win32Exception)
        {
            // A node outlives the namespace that it watches: nothing is known of it any more.
            return null;
        }
    }

    private static DevicePrograms Read()
    {
        using var socket = NetlinkSocket.Open(LibcSocket.NETLINK_ROUTE);
        Dictionary<int, string> names = [];
        (List<string> xdp, List<string> generic, List<string> ingress) = ([], [], []);
        Dump(socket, GetLink, LinkHeader, payload =>
        {
            var link = Link.Parse(payload[LinkHeader..]);
            names[BinaryPrimitives.ReadInt32LittleEndian(payload[IndexAt..])] = link.Name;
            if (link.XdpMode != 0)
            {
                xdp.Add(link.Name);
            }
            if (link.XdpMode is Link.Generic or Link.Several)
            {
                generic.Add(link.Name);
            }
        });
        Dump(socket, GetQdisc, QdiscHeader, payload =>
        {
            NetlinkAttributes at = new(payload[QdiscHeader..]);
            while (at.MoveNext())
            {
                if (at.Type == 1 && at.Text is "ingress" or "clsact") // TCA_KIND
                {
                    ingress.Add(names.GetValueOrDefault(BinaryPrimitives.ReadInt32LittleEndian(payload[IndexAt..]), "?"));
                }
            }
        });
        return new DevicePrograms(xdp, generic, ingress);
    }

    private delegate void PayloadHandler(ReadOnlySpan<byte> payload);

    private static void Dump(NetlinkSocket socket, int command, int header, PayloadHandler handler)
    {
        Span<byte> request = stackalloc byte[NetlinkMessage.HeaderLength + QdiscHeader];
        request.Clear();
        request = request[..(NetlinkMessage.HeaderLength + header)];
        BinaryPrimitives.WriteInt32LittleEndian(request, request.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(request[4..], (ushort)command);
        BinaryPrimitives.WriteUInt16LittleEndian(request[6..], FlagRequestDump);
        socket.Send(request);
        byte[] buffer = new byte[256 * 1024];
        while (true)
        {
            int length = socket.Receive(buffer);
            ReadOnlySpan<byte> rest = buffer.AsSpan(0, Math.Max(0, length));
            while (NetlinkMessage.TryTake(ref rest, out NetlinkMessage message))
            {
                if (message.Type is NetlinkMessage.TypeDone or NetlinkMessage.TypeError)
                {
                    return;
                }
                if (message.Payload.Length >= header)
                {
                    handler(message.Payload);
                }
            }
        }
    }

    /// <summary>A device's name, and how XDP is attached to it: 0 is not at all.</summary>
    internal readonly record struct Link(string Name, int XdpMode)
    {
        public const int Generic = 2; // XDP_ATTACHED_SKB
        public const int Several = 4; // XDP_ATTACHED_MULTI
        private const int AttributeName = 3;
        private const int AttributeXdp = 43;
        private const int AttributeAttached = 2;

        public static Link Parse(ReadOnlySpan<byte> attributes)
        {
            (string name, int mode) = ("", 0);
            NetlinkAttributes at = new(attributes);
            while (at.MoveNext())
            {
                switch (at.Type)
                {
                    case AttributeName:
                        name = at.Text;
                        break;
                    case AttributeXdp:
                        NetlinkAttributes xdp = at.Nested;
                        while (xdp.MoveNext())
                        {
                            mode = xdp.Type == AttributeAttached && xdp.Value.Length > 0 ? xdp.Value[0] : mode;
                        }
                        break;
                }
            }
            return new Link(name, mode);
        }
    }
}
