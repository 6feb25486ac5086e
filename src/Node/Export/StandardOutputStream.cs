using System.Runtime.InteropServices;

namespace NftCluster.Node.Export;

/// <summary>Standard output that tells when its reader has gone: the console's own stream swallows EPIPE, and a FileStream would seek.</summary>
internal sealed partial class StandardOutputStream : Stream
{
    private const int FileDescriptor = 1;
    private const int Interrupted = 4;
    private const int TryAgain = 11;
    private const short PollWritable = 4;

    public override bool CanRead => false;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            nint written = WriteOnce(FileDescriptor, ref MemoryMarshal.GetReference(buffer), buffer.Length);
            if (written >= 0)
            {
                buffer = buffer[(int)written..];
                continue;
            }

            int errno = Marshal.GetLastPInvokeError();
            if (errno == TryAgain)
            {
                // A peer made the shared pipe non-blocking: wait until it takes more.
                var waiting = new PollEntry { Fd = FileDescriptor, Events = PollWritable };
                _ = Poll(ref waiting, 1, -1);
            }
            else if (errno != Interrupted)
            {
                throw new IOException(Marshal.GetPInvokeErrorMessage(errno), errno);
            }
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
        // Nothing is kept here.
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint WriteOnce(int fd, ref byte buffer, nint count);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int Poll(ref PollEntry entry, nuint count, int timeoutMs);

    [StructLayout(LayoutKind.Sequential)]
    private struct PollEntry
    {
        public int Fd;
        public short Events;
        public short Returned;
    }
}
