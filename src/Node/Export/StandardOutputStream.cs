using System.Runtime.InteropServices;

namespace NftCluster.Node.Export;

/// <summary>
/// Standard output that tells when its reader has gone (the console's own stream swallows EPIPE, and a FileStream would seek),
/// and that can be told not to wait for a reader who stands still.
/// </summary>
/// <remarks>A failure is thrown once; afterwards writes go nowhere, so that whoever flushes at the end does not fail again.</remarks>
internal sealed partial class StandardOutputStream : Stream
{
    /// <summary>What a stopped program waits for a reader that takes nothing.</summary>
    private const int HurriedMs = 1000;
    private const int Forever = -1;

    /// <summary>ETIMEDOUT: the reader is there and does not read.</summary>
    internal const int NobodyReads = 110;
    internal const int BrokenPipe = 32;

    /// <summary>PIPE_BUF: what polls as writable takes so much without blocking.</summary>
    private const int AtOnce = 4096;
    private const int SliceMs = 50;

    private const int FileDescriptor = 1;
    private const int Interrupted = 4;
    private const int IoError = 5;
    private const int TryAgain = 11;
    private const int FromHere = 1;
    private const short PollWritable = 4;

    private readonly bool _isFile = Seek(FileDescriptor, 0, FromHere) >= 0;
    private readonly bool _isTerminal = !Console.IsOutputRedirected;
    private int _patienceMs = Forever;
    private bool _over;

    /// <summary>True when something was not written because nobody read.</summary>
    public bool GaveUp { get; private set; }

    public override bool CanRead => false;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>From now on a reader that takes nothing for a second is not waited for. From any thread.</summary>
    public void Hurry() => Interlocked.CompareExchange(ref _patienceMs, HurriedMs, Forever);

    /// <summary>From now on nothing is waited for. From any thread.</summary>
    public void Abandon() => Volatile.Write(ref _patienceMs, 0);

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty && !_over)
        {
            int length = buffer.Length;
            if (!_isFile)
            {
                AwaitReader();
                length = Math.Min(length, AtOnce);
            }
            nint written = WriteOnce(FileDescriptor, ref MemoryMarshal.GetReference(buffer), length);
            if (written >= 0)
            {
                buffer = buffer[(int)written..];
                continue;
            }

            // EAGAIN: a peer made the shared pipe non-blocking; the next poll waits until it takes more.
            int errno = Marshal.GetLastPInvokeError();
            if (errno is not (TryAgain or Interrupted))
            {
                // A terminal that was closed is a reader that has gone.
                throw Over(errno == IoError && _isTerminal ? BrokenPipe : errno);
            }
        }
    }

    /// <summary>In slices, so that an order to hurry is noticed. Counts slices: no clock is needed.</summary>
    private void AwaitReader()
    {
        for (int waited = 0; ; waited += SliceMs)
        {
            var waiting = new PollEntry { Fd = FileDescriptor, Events = PollWritable };
            if (Poll(ref waiting, 1, SliceMs) > 0)
            {
                return;
            }
            int patience = Volatile.Read(ref _patienceMs);
            if (patience != Forever && waited >= patience)
            {
                GaveUp = true;
                throw Over(NobodyReads);
            }
        }
    }

    private IOException Over(int errno)
    {
        _over = true;
        return new IOException(Marshal.GetPInvokeErrorMessage(errno), errno);
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

    [LibraryImport("libc", EntryPoint = "lseek")]
    private static partial long Seek(int fd, long offset, int whence);

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
