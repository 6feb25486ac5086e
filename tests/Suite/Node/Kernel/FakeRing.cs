using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using NftCluster.Node.Kernel;

namespace NftCluster.Tests.Node.Kernel;

/// <summary>A file laid out like the kernel's ring: a page for the consumer, one for the producer, then the data twice.</summary>
internal sealed class FakeRing : IDisposable
{
    private readonly string _path = Path.GetTempFileName();
    private readonly SafeFileHandle _file;
    private readonly int _page = Environment.SystemPageSize;
    private readonly int _bytes;
    private ulong _produced;

    public FakeRing(int bytes = 4096)
    {
        _bytes = bytes;
        _file = File.OpenHandle(_path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        RandomAccess.SetLength(_file, (2 * _page) + (2 * bytes));
        Reader = new RingBufferReader((int)_file.DangerousGetHandle(), (uint)bytes);
    }

    public RingBufferReader Reader { get; }

    /// <summary>Writes one record and moves the producer; returns its position, for <see cref="Finish"/>.</summary>
    public ulong Write(ReadOnlySpan<byte> body, uint bits = 0)
    {
        ulong position = _produced;
        byte[] record = new byte[RingBufferReader.RecordSize((uint)body.Length)];
        MemoryMarshal.Write(record, (uint)body.Length | bits);
        body.CopyTo(record.AsSpan(RingBufferReader.HeaderSize));
        for (int i = 0; i < record.Length; i++)
        {
            int at = (int)((position + (ulong)i) % (ulong)_bytes);
            RandomAccess.Write(_file, record.AsSpan(i, 1), (2 * _page) + at);
            RandomAccess.Write(_file, record.AsSpan(i, 1), (2 * _page) + _bytes + at);
        }
        _produced += (ulong)record.Length;
        RandomAccess.Write(_file, BitConverter.GetBytes(_produced), _page);
        return position;
    }

    /// <summary>The writer of a busy record is done with it.</summary>
    public void Finish(ulong position, int bodyLength, uint bits = 0)
    {
        byte[] header = BitConverter.GetBytes((uint)bodyLength | bits);
        int at = (int)(position % (ulong)_bytes);
        RandomAccess.Write(_file, header, (2 * _page) + at);
        RandomAccess.Write(_file, header, (2 * _page) + _bytes + at);
    }

    public void Dispose()
    {
        Reader.Dispose();
        _file.Dispose();
        File.Delete(_path);
    }
}
