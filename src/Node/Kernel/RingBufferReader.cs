using System.ComponentModel;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using NftCluster.Node.Kernel.Native;

namespace NftCluster.Node.Kernel;

/// <summary>
/// The kernel's BPF ring buffer, read in place: no call, allocation or lock per event.
/// </summary>
/// <remarks>
/// Layout (kernel/bpf/ringbuf.c), in pages: the consumer position (ours to write), the producer position (read only), then
/// the data twice in a row, so that a record that wraps is still contiguous. A record is
/// <code>
///  0        4          8
///  | length | page off | body … rounded up to 8 |
/// </code>
/// with bit 31 of length = busy (still being written), bit 30 = discarded.
/// </remarks>
internal sealed unsafe class RingBufferReader : IDisposable
{
    internal const uint BusyBit = 1u << 31;
    internal const uint DiscardBit = 1u << 30;
    internal const int HeaderSize = 8;

    private readonly nuint _ringBytes;
    private readonly nuint _pageSize;
    private nint _consumerPage;
    private nint _producerPages;

    public RingBufferReader(int mapFd, uint ringBytes)
    {
        MapFd = mapFd;
        _ringBytes = ringBytes;
        _pageSize = (nuint)Environment.SystemPageSize;
        _consumerPage = Map(_pageSize, Libc.PROT_READ | Libc.PROT_WRITE, 0);
        _producerPages = Map(_pageSize + 2 * _ringBytes, Libc.PROT_READ, (nint)_pageSize);
    }

    public int MapFd { get; }

    /// <summary>Bytes written and not yet read.</summary>
    public long Backlog => (long)(Produced - Consumed);

    /// <summary>Bytes written since the beginning, records under way included: once <see cref="Consumed"/> is here, all of them were read.</summary>
    public ulong Produced => Volatile.Read(ref ProducerPosition);

    public ulong Consumed => Volatile.Read(ref ConsumerPosition);

    private ref ulong ConsumerPosition => ref Unsafe.AsRef<ulong>((void*)_consumerPage);

    private ref ulong ProducerPosition => ref Unsafe.AsRef<ulong>((void*)_producerPages);

    /// <summary>Copies whole records, headers included, into the batch; returns the bytes copied, 0 = nothing there.</summary>
    public int Read(EventBatch batch)
    {
        ulong consumer = ConsumerPosition;
        ulong producer = Volatile.Read(ref ProducerPosition);
        byte* data = (byte*)_producerPages + _pageSize;
        byte* start = data + (consumer & (_ringBytes - 1));
        int limit = (int)Math.Min(producer - consumer, (ulong)batch.Free);
        int length = 0;
        int records = 0;
        while (length + HeaderSize <= limit)
        {
            uint header = Volatile.Read(ref Unsafe.AsRef<uint>(start + length));
            if ((header & BusyBit) != 0)
            {
                break;
            }
            int size = RecordSize(header);
            if (length + size > limit)
            {
                break;
            }
            length += size;
            records++;
        }
        if (length == 0)
        {
            return 0;
        }
        batch.Append(new ReadOnlySpan<byte>(start, length), records);
        Volatile.Write(ref ConsumerPosition, consumer + (ulong)length);
        return length;
    }

    /// <summary>Waits until the kernel wakes us (backlog over the threshold) or the time is over.</summary>
    public void Wait(int milliseconds)
    {
        pollfd descriptor = new() { fd = MapFd, events = Libc.POLLIN };
        // EINTR and time-out alike: the caller reads and comes back.
        _ = Libc.poll(&descriptor, 1, milliseconds);
    }

    public void Dispose()
    {
        if (_consumerPage != 0)
        {
            _ = Libc.munmap(_consumerPage, _pageSize);
            _ = Libc.munmap(_producerPages, _pageSize + 2 * _ringBytes);
            _consumerPage = _producerPages = 0;
        }
    }

    internal static int RecordSize(uint header) => (int)(((header & ~(BusyBit | DiscardBit)) + HeaderSize + 7) & ~7u);

    private nint Map(nuint length, int protection, nint offset)
    {
        nint address = Libc.mmap(0, length, protection, Libc.MAP_SHARED, MapFd, offset);
        return address != -1 ? address : throw new Win32Exception(Marshal.GetLastPInvokeError(), "cannot map the ring buffer");
    }
}
