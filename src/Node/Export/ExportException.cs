using System.Runtime.InteropServices;

namespace NftCluster.Node.Export;

/// <summary>An export that cannot be written or read: the message is one line that says what is wrong and what to do.</summary>
internal sealed class ExportException : Exception
{
    private const int NoSpace = 28;
    private const int QuotaExceeded = 122;

    public ExportException(string message)
        : base(message)
    {
    }

    public ExportException(string message, Exception inner)
        : base(message, inner)
    {
    }

    public static bool IsExpected(Exception e) => e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException;

    public static ExportException Writing(string directory, Exception cause)
    {
        int errno = Errno(cause);
        string remedy = errno is NoSpace or QuotaExceeded
            ? "free some space there or choose another directory"
            : "choose a directory that this user may write to";
        return new ExportException($"cannot write the export in {directory}: {Reason(cause, errno)}; {remedy}", cause);
    }

    public static ExportException StandardOutput(IOException cause) =>
        new($"cannot write to standard output: {Reason(cause, Errno(cause))}; send it elsewhere", cause);

    public static ExportException Reading(string path, Exception cause) =>
        new($"cannot read {path}: {Reason(cause, Errno(cause))}", cause);

    /// <summary>The runtime keeps the raw errno in HResult, for a refused access in the inner exception's.</summary>
    internal static int Errno(Exception e) => e switch
    {
        FileNotFoundException or DirectoryNotFoundException => 2,
        UnauthorizedAccessException { InnerException: IOException inner } => inner.HResult,
        IOException { HResult: > 0 and < 4096 } io => io.HResult,
        _ => 0,
    };

    private static string Reason(Exception e, int errno) =>
        errno > 0 ? Marshal.GetPInvokeErrorMessage(errno) : e.Message.ReplaceLineEndings(" ");
}
