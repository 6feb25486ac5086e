using System.Runtime.ExceptionServices;
using Microsoft.Win32.SafeHandles;

namespace NftCluster.Lab;

/// <summary>Runs code inside a network namespace: sockets and child processes made there stay there.</summary>
public static class NetworkNamespace
{
    private const string Directory = "/run/netns";

    public static bool Exists(string name) => File.Exists(PathOf(name));

    /// <summary>Runs the delegate on a thread of its own inside the named namespace; what it throws is thrown here.</summary>
    public static T Run<T>(string name, Func<T> inside) => OnFreshThread(() =>
    {
        Enter(name);
        return inside();
    });

    /// <summary>Runs the action on a thread of its own inside the named namespace.</summary>
    public static void Run(string name, Action inside) => Run(name, () =>
    {
        inside();
        return true;
    });

    /// <summary>Runs the action on a thread of its own inside a new namespace that has no name yet and ends with the thread.</summary>
    internal static void RunInNew(Action<int> insideWithThreadId) => OnFreshThread(() =>
    {
        if (LabNative.Unshare(LabNative.CloneNewNet) != 0)
        {
            throw new LabException($"cannot make a network namespace: {LabNative.LastError()}: run as root on a kernel with CONFIG_NET_NS.");
        }

        insideWithThreadId(LabNative.ThreadId());
        return true;
    });

    internal static string PathOf(string name) => Path.Combine(Directory, name);

    // Never a pool thread: the namespace belongs to the thread, and this one ends with it.
    private static T OnFreshThread<T>(Func<T> run)
    {
        T result = default!;
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                result = run();
            }
            catch (Exception exception)
            {
                // The outer edge of a thread: carried over to the caller, whatever it is.
                failure = ExceptionDispatchInfo.Capture(exception);
            }
        })
        { IsBackground = true, Name = "lab namespace" };
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result;
    }

    private static void Enter(string name)
    {
        try
        {
            using SafeFileHandle file = File.OpenHandle(PathOf(name));
            if (LabNative.SetNamespace((int)file.DangerousGetHandle(), LabNative.CloneNewNet) != 0)
            {
                throw new LabException($"cannot enter the network namespace '{name}': {LabNative.LastError()}.");
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new LabException($"cannot open the network namespace '{name}': {exception.Message}: is the lab up, and are you root?", exception);
        }
    }
}
