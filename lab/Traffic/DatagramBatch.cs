using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace NftCluster.Lab;

/// <summary>The arguments of one sendmmsg call, built once: all datagrams alike but for their number.</summary>
internal sealed class DatagramBatch : IDisposable
{
    public const int Length = 64;

    // struct mmsghdr on 64 bit:
    // ┌────────┬───────────┬───────┬──────────┬───────────┬──────────────┬─────────┬───────────┐
    // │ name 8 │ namelen 8 │ iov 8 │ iovlen 8 │ control 8 │ controllen 8 │ flags 8 │ msg_len 8 │
    // └────────┴───────────┴───────┴──────────┴───────────┴──────────────┴─────────┴───────────┘
    private const int MessageBytes = 64;
    private const int VectorOffset = 16;
    private const int VectorCountOffset = 24;
    private const int VectorBytes = 16;

    private readonly nint _memory;
    private readonly nint _payloads;
    private readonly int _size;

    public DatagramBatch(int size)
    {
        _size = size;
        int total = Length * (MessageBytes + VectorBytes + size);
        _memory = Marshal.AllocHGlobal(total);
        Marshal.Copy(new byte[total], 0, _memory, total);
        nint vectors = _memory + (Length * MessageBytes);
        _payloads = vectors + (Length * VectorBytes);
        for (int i = 0; i < Length; i++)
        {
            Marshal.WriteIntPtr(_memory + (i * MessageBytes), VectorOffset, vectors + (i * VectorBytes));
            Marshal.WriteIntPtr(_memory + (i * MessageBytes), VectorCountOffset, 1);
            Marshal.WriteIntPtr(vectors + (i * VectorBytes), 0, _payloads + (i * size));
            Marshal.WriteIntPtr(vectors + (i * VectorBytes), sizeof(long), size);
        }
    }

    public nint Messages => _memory;

    /// <summary>Numbers the datagrams from <paramref name="first"/> on.</summary>
    public void Number(uint first)
    {
        for (int i = 0; i < Length; i++)
        {
            Marshal.WriteInt32(_payloads + (i * _size), BinaryPrimitives.ReverseEndianness((int)(first + i)));
        }
    }

    public void Dispose() => Marshal.FreeHGlobal(_memory);
}
