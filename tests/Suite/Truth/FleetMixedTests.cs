using System.Diagnostics;
using NftCluster.Controller.Sessions;
using NftCluster.Controller.Storage;
using NftCluster.Lab;
using NftCluster.Messages;
using NftCluster.Tests.Lab;

namespace NftCluster.Tests.Truth;

/// <summary>UDP, TCP, pings, closed ports, destinations without a route, by turns for a while: what three nodes stored is what tcpdump saw on every device of the three routers.</summary>
[Collection(TruthTestGroup.Name)]
public sealed class FleetMixedTests
{
    /// <summary>NFTCLUSTER_MIXED_SECONDS: ./test --all takes five minutes.</summary>
    private static readonly TimeSpan _time = TimeSpan.FromSeconds(int.TryParse(Environment.GetEnvironmentVariable("NFTCLUSTER_MIXED_SECONDS"), out int seconds) ? seconds : 8);

    private static readonly (TrafficKind Kind, int Count, double Rate)[] _turns = [(TrafficKind.Udp, 200, 400), (TrafficKind.Tcp, 20, 40), (TrafficKind.Ping, 10, 50), (TrafficKind.Closed, 5, 20), (TrafficKind.NoRoute, 5, 20)];

    private static readonly string[] _devices = ["eth0", "eth1"];

    [Fact]
    public async Task Every_packet_of_a_mixed_load_is_stored_once_for_each_router_that_saw_it()
    {
        Root.Required();
        using Fleet fleet = new();
        await fleet.StartAsync();
        ClusterSessionView session = await fleet.OpenSessionAsync("ip and not net 10.255.0.0/16");
        (string Router, DeviceCapture Capture)[] captures = [.. fleet.Watched.SelectMany(router => _devices.Select(device => (router, new DeviceCapture(fleet.Lab.NamespaceOf(router), device, fleet.File("")))))];
        var ledgers = fleet.Watched.ToDictionary(router => router, router => new PacketLedger(router), StringComparer.Ordinal);
        try
        {
            var clock = Stopwatch.StartNew();
            while (clock.Elapsed < _time)
            {
                foreach ((TrafficKind kind, int count, double rate) in _turns)
                {
                    Traffic.Run(fleet.Lab, kind, new TrafficRequest { From = "client", To = "server", Count = count, Rate = rate });
                }
            }
        }
        finally
        {
            foreach ((string router, DeviceCapture capture) in captures)
            {
                foreach ((string place, _, Packet packet) in capture.Stop().Where(seen => !seen.Packet.IsChatter && seen.Packet.Source?.Contains(':', StringComparison.Ordinal) == false))
                {
                    ledgers[router].Capture(place, packet);
                }
                capture.Dispose();
            }
        }

        var names = (await fleet.NodesAsync()).ToDictionary(node => node.Id, node => node.Name, StringComparer.Ordinal);
        TraceQueries traces = fleet.Queries();
        await fleet.EndSessionAsync(session.Id);
        await foreach (StoredTrace stored in traces.AllAsync(session.Id, FrameRange.All, TestContext.Current.CancellationToken))
        {
            TraceRecord trace = stored.Trace;
            (string, Packet)? came = trace.In is { } i ? ($"{i.Device} in", Packet.Of(i)) : null;
            (string, Packet)? left = trace is { Out: { } o, FinalVerdict: "forwarded" } ? ($"{o.Device} out", Packet.Of(o)) : null;
            ledgers[names[stored.Id.NodeId]].Trace(stored.Id.ToString(), came, left);
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{_time.TotalSeconds:0} s: {string.Join(", ", ledgers.Select(ledger => $"{ledger.Key} {ledger.Value.CapturedCount} packets captured, {ledger.Value.TracedCount} stored"))}");
        Assert.Equal("", string.Concat(ledgers.Values.Select(ledger => ledger.Differences())));
        Assert.DoesNotContain(await traces.LossesAsync(session.Id, TestContext.Current.CancellationToken), loss => loss.Count != 0 && loss.Stage is not ("probe-missed" or "orphaned"));
    }
}
