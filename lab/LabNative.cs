using System.Runtime.InteropServices;

namespace NftCluster.Lab;

/// <summary>The system calls that .NET does not offer: entering namespaces, signals, many datagrams in one call.</summary>
internal static class LabNative
{
    public const int CloneNewNet = 0x40000000;
    public const int SigInt = 2;
    public const int SigUsr1 = 10;
    public const int Interrupted = 4;
    public const int Again = 11;
    public const int NoBuffers = 105;
    public const int Refused = 111;

    // LibraryImport would need AllowUnsafeBlocks; every argument here is blittable, so DllImport generates the same call.
#pragma warning disable SYSLIB1054
    [DllImport("libc", EntryPoint = "setns", SetLastError = true)]
    public static extern int SetNamespace(int fileDescriptor, int kind);

    [DllImport("libc", EntryPoint = "unshare", SetLastError = true)]
    public static extern int Unshare(int kinds);

    [DllImport("libc", EntryPoint = "gettid")]
    public static extern int ThreadId();

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    public static extern int Kill(int processId, int signal);

    [DllImport("libc", EntryPoint = "sendmmsg", SetLastError = true)]
    public static extern int SendMany(int socket, nint messages, uint count, int flags);
#pragma warning restore SYSLIB1054

    public static string LastError() => Marshal.GetLastPInvokeErrorMessage();
}
