using System.Runtime.InteropServices;
using NftCluster.Node.Export;

namespace NftCluster.Cli;

/// <summary>
/// How a trace is told to stop. SIGINT, SIGTERM and SIGHUP (a closed terminal): in order, with export. SIGINT or SIGTERM once
/// more: now, with what can still be written within moments.
/// </summary>
internal sealed class StopSignals : IDisposable
{
    private static readonly TimeSpan _lastMoments = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _stop;
    private readonly StandardOutputStream _output;
    private readonly TextWriter _error;
    private readonly PosixSignalRegistration[] _registrations;
    private ITimer? _last;
    private int _signals;

    public StopSignals(StandardOutputStream output, TextWriter error, CancellationToken cancellation)
    {
        _output = output;
        _error = error;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        _registrations = [.. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP }.Select(signal => PosixSignalRegistration.Create(signal, Take))];
    }

    public CancellationToken Token => _stop.Token;

    /// <summary>As a first signal does, but whoever reads the output is waited for.</summary>
    public void Stop() => _stop.Cancel();

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
        {
            registration.Dispose();
        }
        _last?.Dispose();
        _stop.Dispose();
    }

    private void Take(PosixSignalContext signal)
    {
        signal.Cancel = true; // not at once: stop, export, then exit 0
        bool first = Interlocked.Increment(ref _signals) == 1;
        _output.Hurry();
        // A closing terminal sends SIGHUP twice (the kernel, then the shell): nobody insists with it.
        if (!first && signal.Signal != PosixSignal.SIGHUP)
        {
            _output.Abandon();
            _last ??= TimeProvider.System.CreateTimer(_ => Leave(), null, _lastMoments, Timeout.InfiniteTimeSpan);
        }
        _stop.Cancel();
    }

    private void Leave()
    {
        _error.WriteLine("nftcluster: told to stop twice: gone before all was written");
        Environment.Exit(1);
    }
}
