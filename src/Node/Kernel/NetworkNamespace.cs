using System.ComponentModel;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using NftCluster.Node.Kernel.Native;

namespace NftCluster.Node.Kernel;

/// <summary>Network namespaces by name (ip netns), path or process id; their identity in the kernel is an inode number.</summary>
internal static partial class NetworkNamespace
{
    public const string Own = "/proc/self/ns/net";
    private const int NotPermitted = 1; // EPERM
    private const string NamedDirectory = "/run/netns";

    /// <summary>The path of what a user typed, or one line that says what is wrong.</summary>
    public static string Resolve(string text)
    {
        string path = text.Contains('/', StringComparison.Ordinal) ? text
            : int.TryParse(text, out int pid) && Directory.Exists($"/proc/{pid}") ? $"/proc/{pid}/ns/net"
            : $"{NamedDirectory}/{text}";
        if (!File.Exists(path))
        {
            string known = string.Join(", ", Named().Select(Path.GetFileName).Take(8));
            throw new KernelException($"no network namespace '{text}': give a name of `ip netns list`{(known.Length > 0 ? $" ({known})" : "")}, a path, a process id, or 'all'");
        }
        return path;
    }

    public static uint Inode(string path)
    {
        using SafeFileHandle file = File.OpenHandle(path);
        byte[] status = new byte[256];
        return fstat(file, status) == 0
            ? (uint)BitConverter.ToUInt64(status, 8)
            : throw new KernelException($"cannot read the namespace {path}: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <summary>Paths of the namespaces that have a name.</summary>
    public static IReadOnlyList<string> Named() => Directory.Exists(NamedDirectory) ? [.. Directory.EnumerateFiles(NamedDirectory)] : [];

    /// <summary>Runs the function on a thread of its own inside the namespace, since a namespace belongs to a thread.</summary>
    public static T Run<T>(string path, Func<T> inside)
    {
        T? result = default;
        ExceptionDispatchInfo? failure = null;
        Thread thread = new(() =>
        {
            try
            {
                Enter(path);
                result = inside();
            }
            catch (Exception exception)
            {
                // The outer edge of a thread: carried over to the caller, whatever it is.
                failure = ExceptionDispatchInfo.Capture(exception);
            }
        })
        { IsBackground = true, Name = "nftcluster netns" };
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result!;
    }

    /// <summary>Moves the calling thread, for good: only for threads that end with their work, never one of the pool.</summary>
    public static void Enter(string path)
    {
        using SafeFileHandle file = File.OpenHandle(path);
        if (Libc.setns((int)file.DangerousGetHandle(), Libc.CLONE_NEWNET) != 0)
        {
            int error = Marshal.GetLastPInvokeError();
            throw error == NotPermitted
                ? new KernelException("entering a network namespace needs root: run it with sudo")
                : new Win32Exception(error, $"cannot enter the namespace {path}");
        }
    }

    // struct stat on x86-64 and arm64: st_dev (8 bytes), then st_ino (8 bytes).
    [LibraryImport("libc.so.6", SetLastError = true)]
    private static partial int fstat(SafeFileHandle file, [Out] byte[] status);
}
