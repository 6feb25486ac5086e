using System.Diagnostics;
using System.Text.RegularExpressions;

namespace NftCluster.Lab;

/// <summary>tcpdump on one device of a lab, writing a file that is whole once <see cref="Stop"/> returns.</summary>
public sealed partial class PacketCapture : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60); // as long as Tool waits, and for the same machines

    private readonly Process _process;
    private readonly AutoResetEvent _said = new(initialState: false);
    private readonly ManualResetEventSlim _listening = new();
    private readonly ManualResetEventSlim _ended = new();
    private volatile string _lastWords = "";
    private long _captured = -1;
    private long _received = -1;
    private long _dropped = -1;

    private PacketCapture(Process process, string file)
    {
        _process = process;
        File = file;
        process.ErrorDataReceived += (_, line) => Hear(line.Data);
        process.BeginErrorReadLine();
    }

    public string File { get; }

    /// <summary>Packets in the file; known after <see cref="Stop"/>.</summary>
    public long Captured => Volatile.Read(ref _captured);

    /// <summary>Packets that tcpdump's buffer had no room for; known after <see cref="Stop"/>.</summary>
    public long DroppedByKernel => Volatile.Read(ref _dropped);

    /// <summary>
    /// Returns once tcpdump listens. The filter is a pcap-filter(7) expression, or empty; the direction "in", "out", or both when empty.
    /// Do not filter by "inbound" or "outbound": libpcap loses the first packet then, which it filters itself and cannot tell the way of.
    /// </summary>
    public static PacketCapture Start(string networkNamespace, string device, string file, string filter = "", string direction = "")
    {
        // -s: immediate mode reserves a whole snapshot per packet, so tcpdump's usual 256 KiB leave room for 32 packets in 8 MiB
        // (measured: 130 of 1,000 lost). 512 bytes hold every header; the packet's own length is recorded beside them.
        // -p: a bridge in promiscuous mode would hand itself every frame it forwards, which is no truth about it.
        // -Z root: as the user tcpdump it could not write where the caller can.
        string[] arguments =
        [
            "netns", "exec", networkNamespace,
            "tcpdump", "-p", "-i", device, "-w", file, "-n", "-U", "--immediate-mode", "-B", "16384", "-s", "512", "-Z", "root", "--time-stamp-precision=nano",
            .. direction.Length > 0 ? new[] { "-Q", direction } : [],
            .. filter.Length > 0 ? new[] { filter } : [],
        ];
        var capture = new PacketCapture(Tool.Start("ip", arguments), file);
        if (!capture._listening.Wait(_patience) || capture._ended.IsSet)
        {
            string reason = capture._lastWords;
            capture.Dispose();
            throw new LabException($"tcpdump does not listen on {device} in {networkNamespace}: {reason} (is it installed? apt-get install tcpdump)");
        }

        return capture;
    }

    /// <summary>Waits until everything the kernel had seen so far is written, ends tcpdump and reads its counters.</summary>
    public void Stop()
    {
        WaitUntilFlushed();
        Signal(LabNative.SigInt);
        if (!_process.WaitForExit(_patience))
        {
            throw new LabException($"tcpdump (pid {_process.Id}) did not end within {_patience.TotalSeconds:0} s.");
        }

        _process.WaitForExit();
        if (Captured < 0 || DroppedByKernel < 0)
        {
            throw new LabException($"tcpdump ended without its counters: {_lastWords}");
        }
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        // Without a time-out it also waits for the end of standard error: no line is heard after the handles are gone.
        _process.WaitForExit();
        _process.Dispose();
        _said.Dispose();
        _listening.Dispose();
        _ended.Dispose();
    }

    // SIGINT ends tcpdump at once, with packets unread in its ring. SIGUSR1 makes it say how far it is, so ask until nothing is left:
    // all that was received is written, or (with a direction, whose other half is received as well) nothing moves any more.
    private void WaitUntilFlushed()
    {
        const int Still = 20;
        int quiet = 0;
        (long, long) before = default;
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < _patience && !_process.HasExited)
        {
            _said.Reset();
            Signal(LabNative.SigUsr1);
            if (_said.WaitOne(TimeSpan.FromSeconds(1)))
            {
                (long, long) now = (Captured, Volatile.Read(ref _received));
                quiet = now == before ? quiet + 1 : 0;
                before = now;
                if (now.Item1 + DroppedByKernel >= now.Item2 || quiet == Still)
                {
                    return;
                }
            }

            Thread.Sleep(TimeSpan.FromMilliseconds(5));
        }
    }

    private void Signal(int signal)
    {
        if (LabNative.Kill(_process.Id, signal) != 0 && !_process.HasExited)
        {
            throw new LabException($"cannot signal tcpdump (pid {_process.Id}): {LabNative.LastError()}.");
        }
    }

    private void Hear(string? line)
    {
        if (line is null)
        {
            _ended.Set();
            _listening.Set();
            return;
        }

        _lastWords = line;
        foreach (Match match in Counter().Matches(line))
        {
            long value = long.Parse(match.Groups["count"].ValueSpan);
            switch (match.Groups["what"].Value)
            {
                case "captured":
                    Volatile.Write(ref _captured, value);
                    break;
                case "received":
                    Volatile.Write(ref _received, value);
                    break;
                default:
                    // The last of the three.
                    Volatile.Write(ref _dropped, value);
                    _said.Set();
                    break;
            }
        }

        if (line.Contains("listening on", StringComparison.Ordinal))
        {
            _listening.Set();
        }
    }

    [GeneratedRegex("(?<count>[0-9]+) packets? (?<what>captured|received|dropped by kernel)", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Counter();
}
