using System.Runtime.InteropServices;

namespace NftCluster.Node.Kernel.Native;

/// <summary>bpf(2), for what libbpf 1.1 does not know yet.</summary>
internal static unsafe class BpfSyscall
{
    private static readonly nint Number = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 280 : 321;

    /// <summary>A file descriptor or 0, else -errno.</summary>
    public static int Call(int command, void* attributes, uint size)
    {
        nint result = Libc.syscall_bpf(Number, command, attributes, size);
        return result >= 0 ? (int)result : -Marshal.GetLastPInvokeError();
    }
}
