using System.Buffers.Binary;

namespace NftCluster.Node.Kernel.Native;

/// <summary>What the kernel counts of a loaded program (struct bpf_prog_info, uapi/linux/bpf.h).</summary>
internal static unsafe class ProgramInfo
{
    private const int RunTimeOffset = 192;
    private const int RunCountOffset = 200;
    private const int MissesOffset = 208;
    private const int Size = 232;

    /// <summary>Runs that the kernel skipped because the program was already running on that CPU (Linux 5.12).</summary>
    public static long Misses(int fd) => Read(fd, MissesOffset);

    /// <summary>Total time and number of runs; zero unless kernel.bpf_stats_enabled is 1.</summary>
    public static (long Nanoseconds, long Count) Runs(int fd) => (Read(fd, RunTimeOffset), Read(fd, RunCountOffset));

    private static long Read(int fd, int offset)
    {
        byte* info = stackalloc byte[Size];
        new Span<byte>(info, Size).Clear();
        uint length = Size;
        return LibBpf.bpf_obj_get_info_by_fd(fd, info, &length) == 0 && length >= offset + sizeof(long)
            ? BinaryPrimitives.ReadInt64LittleEndian(new ReadOnlySpan<byte>(info + offset, sizeof(long)))
            : 0;
    }
}
