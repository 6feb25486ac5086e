using System.Buffers.Binary;
using System.ComponentModel;
using NftCluster.Node.Kernel;
using NftCluster.Node.Kernel.Native;

namespace NftCluster.Node.Nftables;

/// <summary>Asks the kernel's nftables by netlink, in the namespace of the thread that opens it: its generation, and dumps.</summary>
internal sealed class NftNetlink : IDisposable
{
    public const int SubsystemNftables = 10 << 8;
    public const int GetTable = 1;
    public const int GetChain = 4;
    public const int GetRule = 7;
    public const int NewGeneration = 15;
    public const int GetFlowtable = 23;

    private const int GetGeneration = 16;
    private const int BatchBegin = 16; // NFNL_MSG_BATCH_BEGIN, of no subsystem
    private const int BatchEnd = 17;
    private const ushort FlagRequest = 1;
    private const ushort FlagDump = 0x300;
    private const int AttributeGenerationId = 1;

    private readonly NetlinkSocket _socket = NetlinkSocket.Open();
    private readonly byte[] _buffer = new byte[256 * 1024];
    private uint _sequence;

    public delegate void MessageHandler(NetlinkMessage message);

    /// <summary>The generation in force at some moment of the call.</summary>
    public GenerationConfirmed AskGeneration()
    {
        long asked = Monotonic.NowNs;
        Request(GetGeneration, FlagRequest);
        uint? id = null;
        while (id is null)
        {
            ReadOnlySpan<byte> rest = Receive();
            while (NetlinkMessage.TryTake(ref rest, out NetlinkMessage message))
            {
                if (message.Sequence == _sequence)
                {
                    id = GenerationOf(message);
                }
            }
        }
        return new GenerationConfirmed(id.Value, asked, Monotonic.NowNs);
    }

    /// <summary>
    /// Returns when the transaction that is under way, if any, is whole: the kernel counts the generation up before its rules take effect, and a
    /// dump between the two shows the old rules, or both. An empty batch takes the lock of transactions and changes nothing, the generation included.
    /// </summary>
    public void AwaitCommit()
    {
        Span<byte> batch = stackalloc byte[2 * NetlinkMessage.PrefixLength];
        WriteHead(batch, BatchBegin, FlagRequest);
        WriteHead(batch[NetlinkMessage.PrefixLength..], BatchEnd, FlagRequest);
        _socket.Send(batch); // the kernel works on it before this call returns, and answers only when it refuses
    }

    /// <summary>False when the kernel says that the ruleset changed under the dump.</summary>
    public bool Dump(int command, MessageHandler handler)
    {
        Request(command, FlagRequest | FlagDump);
        bool whole = true;
        while (true)
        {
            ReadOnlySpan<byte> rest = Receive();
            while (NetlinkMessage.TryTake(ref rest, out NetlinkMessage message))
            {
                if (message.Sequence != _sequence)
                {
                    continue; // of a request that was given up
                }
                whole &= (message.Flags & NetlinkMessage.FlagDumpInterrupted) == 0;
                switch (message.Type)
                {
                    case NetlinkMessage.TypeDone:
                        return whole;
                    case NetlinkMessage.TypeError:
                        throw Refused(message.Error);
                    default:
                        handler(message);
                        break;
                }
            }
        }
    }

    public void Dispose() => _socket.Dispose();

    private static uint GenerationOf(NetlinkMessage message)
    {
        if (message.Type == NetlinkMessage.TypeError)
        {
            throw Refused(message.Error);
        }
        NetlinkAttributes attributes = message.Attributes;
        while (attributes.MoveNext())
        {
            if (attributes.Type == AttributeGenerationId)
            {
                return attributes.UInt32;
            }
        }
        throw new KernelException("the kernel's nftables gives no generation: Linux 3.18 or newer is needed");
    }

    private static KernelException Refused(int errno) => errno switch
    {
        1 or 13 => new KernelException("reading the ruleset needs root: run it with sudo"),
        22 or 95 => new KernelException("this kernel has no nftables: load the module nf_tables"),
        _ => new KernelException($"the kernel's nftables does not answer: {new Win32Exception(errno).Message}"),
    };

    private void Request(int command, ushort flags)
    {
        Span<byte> request = stackalloc byte[NetlinkMessage.PrefixLength];
        WriteHead(request, SubsystemNftables | command, flags);
        _socket.Send(request);
    }

    /// <summary>struct nlmsghdr and struct nfgenmsg; the resource is the subsystem, in network order, which only a batch reads.</summary>
    private void WriteHead(Span<byte> head, int type, ushort flags)
    {
        head[..NetlinkMessage.PrefixLength].Clear();
        BinaryPrimitives.WriteInt32LittleEndian(head, NetlinkMessage.PrefixLength);
        BinaryPrimitives.WriteUInt16LittleEndian(head[4..], (ushort)type);
        BinaryPrimitives.WriteUInt16LittleEndian(head[6..], flags);
        BinaryPrimitives.WriteUInt32LittleEndian(head[8..], ++_sequence);
        BinaryPrimitives.WriteUInt16BigEndian(head[18..], SubsystemNftables >> 8);
    }

    private ReadOnlySpan<byte> Receive()
    {
        int length = _socket.Receive(_buffer);
        return length > 0 ? _buffer.AsSpan(0, length) : throw new KernelException("the kernel had no memory for its answer about nftables: try again");
    }
}

/// <summary>CLOCK_MONOTONIC, the clock of packet events.</summary>
internal static unsafe class Monotonic
{
    public static long NowNs
    {
        get
        {
            timespec now;
            _ = Libc.clock_gettime(Libc.CLOCK_MONOTONIC, &now);
            return now.Nanoseconds;
        }
    }
}
