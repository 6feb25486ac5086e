using System.Globalization;
using NftCluster.Lab;
using NftCluster.Messages;
using NftCluster.Node.Sessions;
using NftCluster.Tests.Node.Export;
using KernelNamespace = NftCluster.Node.Kernel.NetworkNamespace;

namespace NftCluster.Tests.Truth;

/// <summary>What one host of a lab did during some traffic: tcpdump's view of its devices and the traces of its namespace.</summary>
internal sealed record HostObservation(string Host, IReadOnlyList<(string Place, Packet Packet)> Captured, IReadOnlyList<TraceRecord> Traces)
{
    /// <summary>Without chatter: a young link's multicast reports (MLD) find nobody who listens, and are dropped, too.</summary>
    public IEnumerable<TraceRecord> Drops => Traces.Where(trace => trace.FinalVerdict == "dropped" && ((trace.In ?? trace.Out) is not { } side || !Packet.Of(side).IsChatter));
}

/// <summary>
/// Watches hosts of a lab during some traffic, in this order: trace, capture, send, end the captures, end the traces.
/// So every captured packet had to be traced.
/// </summary>
internal sealed class TruthRun
{
    private readonly LabNetwork _lab;
    private readonly List<SessionEnded> _ended = [];
    private long _fromNs;
    private long _toNs;

    private TruthRun(LabNetwork lab) => _lab = lab;

    public IReadOnlyDictionary<string, HostObservation> Hosts { get; private set; } = new Dictionary<string, HostObservation>(StringComparer.Ordinal);

    public IReadOnlyList<SessionEnded> Ended => _ended;

    public static void Required()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root: it traces the kernel and makes network namespaces");
        Assert.SkipUnless(File.Exists("/usr/bin/tcpdump") || File.Exists("/usr/sbin/tcpdump"), "needs tcpdump");
    }

    /// <summary>One node and session per host, or one session over every namespace; <paramref name="devices"/> of a host, where not those of the topology.</summary>
    public static async Task<TruthRun> WatchAsync(LabNetwork lab, IReadOnlyList<string> hosts, Action traffic, bool allNamespaces = false, string[]? devices = null, string? exportDirectory = null, string? filter = null)
    {
        var run = new TruthRun(lab);
        using var directory = new TempDirectory();
        List<TracedSession> sessions = [];
        List<(string Host, DeviceCapture Capture)> captures = [];
        try
        {
            foreach (string netns in allNamespaces ? [SessionWants.AllNamespaces] : hosts.Select(lab.NamespaceOf))
            {
                sessions.Add(await TracedSession.StartAsync(netns, exportDirectory, filter));
            }
            foreach (string host in hosts)
            {
                foreach (string device in devices ?? [.. lab.Topology.EndsOf(host).Select(end => end.Device)])
                {
                    captures.Add((host, new DeviceCapture(lab.NamespaceOf(host), device, directory.Path)));
                }
            }
            run._fromNs = Now();
            traffic();
            run._toNs = Now();
            ILookup<string, (string Place, long TimestampNs, Packet Packet)> captured = captures
                .SelectMany(c => c.Capture.Stop(), (c, packet) => (c.Host, packet))
                .ToLookup(c => c.Host, c => c.packet, StringComparer.Ordinal);
            foreach (TracedSession session in sessions)
            {
                run._ended.Add(await session.StopAsync());
            }
            ILookup<uint, TraceRecord> traces = sessions.SelectMany(session => session.Traces).ToLookup(trace => trace.Netns);
            run.Hosts = hosts.ToDictionary(host => host, host => run.Observation(host, captured[host], traces[run.InodeOf(host)]), StringComparer.Ordinal);
            run.CheckSessions();
            return run;
        }
        finally
        {
            captures.ForEach(c => c.Capture.Dispose());
            foreach (TracedSession session in sessions)
            {
                await session.DisposeAsync();
            }
        }
    }

    /// <summary>Fails with the differences between captures and traces of these hosts; <paramref name="hops"/> is what they take from a TTL.</summary>
    public void AssertAgreement(int hops = 1, bool nat = false)
    {
        string differences = string.Concat(Hosts.Values.Select(host => Ledger(host, hops, nat).Differences()));
        if (differences.Length > 0)
        {
            Assert.Fail(differences);
        }
    }

    private static PacketLedger Ledger(HostObservation host, int hops, bool nat)
    {
        var ledger = new PacketLedger(host.Host);
        foreach ((string place, Packet packet) in host.Captured)
        {
            ledger.Capture(place, packet);
        }
        foreach (TraceRecord trace in host.Traces)
        {
            (string, Packet)? came = trace.In is { } i ? ($"{i.Device} in", Packet.Of(i)) : null;
            (string, Packet)? left = trace is { Out: { } o, FinalVerdict: "forwarded" } ? ($"{o.Device} out", Packet.Of(o)) : null;
            ledger.Trace(came is null && left is null ? TraceRules.Words(trace) : trace.Key, came, left, hops, nat);
            TraceRules.Check(trace, ledger);
        }
        return ledger;
    }

    private HostObservation Observation(string host, IEnumerable<(string Place, long TimestampNs, Packet Packet)> captured, IEnumerable<TraceRecord> traces) => new(
        host,
        [.. captured.Where(c => !c.Packet.IsChatter || IsDuring(c.TimestampNs)).Select(c => (c.Place, c.Packet))],
        [.. traces.Where(trace => (trace.In ?? trace.Out) is not { } side || !Packet.Of(side).IsChatter || IsDuring(TraceRules.Nanoseconds(trace.FirstSeen)))]);

    private void CheckSessions()
    {
        foreach (SessionEnded ended in _ended)
        {
            Assert.Null(ended.Session.FailureReason);
            Assert.Equal("STOPPED", ended.Session.State);
            // probe-missed: the kernel skips a program that interrupts itself on its CPU, and says so. Whether a door was among
            // them, the books tell: then a packet is missing.
            IEnumerable<LossRecord> losses = ended.Statistics.Losses.Where(loss => loss.Count != 0 && loss.Stage != "probe-missed");
            Assert.True(!losses.Any(), string.Join(", ", losses.Select(loss => string.Create(CultureInfo.InvariantCulture, $"{loss.Stage}: {loss.Count} {loss.Kind}"))));
        }
    }

    // Chatter at the edges may be in one book only: the captures do not begin and end at one instant.
    private bool IsDuring(long timestampNs) => timestampNs >= _fromNs && timestampNs <= _toNs;

    private uint InodeOf(string host) => KernelNamespace.Inode(KernelNamespace.Resolve(_lab.NamespaceOf(host)));

    private static long Now() => (TimeProvider.System.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100;
}
