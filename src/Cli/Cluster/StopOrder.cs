using System.Runtime.InteropServices;

namespace NftCluster.Cli.Cluster;

/// <summary>How a service is told to stop: SIGINT, SIGTERM, SIGHUP. The second one does not wait for the first.</summary>
internal sealed class StopOrder : IDisposable
{
    private readonly CancellationTokenSource _stop;
    private readonly PosixSignalRegistration[] _registrations;
    private int _signals;

    public StopOrder(CancellationToken cancellation)
    {
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        _registrations = [.. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP }.Select(signal => PosixSignalRegistration.Create(signal, Take))];
    }

    public CancellationToken Token => _stop.Token;

    public async Task WhenToldAsync()
    {
        TaskCompletionSource told = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using CancellationTokenRegistration registration = Token.Register(() => told.TrySetResult());
        await told.Task;
    }

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
        {
            registration.Dispose();
        }
        _stop.Dispose();
    }

    private void Take(PosixSignalContext signal)
    {
        // What is committed is safe: a second signal may end the process at once.
        signal.Cancel = Interlocked.Increment(ref _signals) == 1;
        _stop.Cancel();
    }
}
