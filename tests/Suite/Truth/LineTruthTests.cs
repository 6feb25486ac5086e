using NftCluster.Lab;
using NftCluster.Messages;
using NftCluster.Node.Export;
using NftCluster.Tests.Lab;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Truth;

/// <summary>client – r1 – r2 – server: what the routers' traces say is what tcpdump says on their devices.</summary>
[Collection(TruthTestGroup.Name)]
public sealed class LineTruthTests
{
    private static readonly string[] _routers = ["r1", "r2"];
    private static readonly string[] _everybody = ["client", "r1", "r2", "server"];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_packet_of_UDP_and_TCP_has_exactly_one_complete_trace_on_each_router(bool ipv6)
    {
        TruthRun.Required();
        using LabNetwork lab = Root.Line();
        using var directory = new TempDirectory();

        TruthRun run = await TruthRun.WatchAsync(lab, _routers, () => NumberedTraffic(lab, ipv6), exportDirectory: directory.Path);

        run.AssertAgreement();
        Assert.All(run.Hosts.Values, host => Assert.True(host.Traces.Count(trace => trace.ProtocolName == "UDP" && trace.Direction == "forward") >= 2 * TruthSettings.UdpPackets));
        AssertExports(run, directory);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_drop_has_its_reason(bool ipv6)
    {
        TruthRun.Required();
        using LabNetwork lab = Root.Line();
        Run(lab, "r2", "nft add table inet truth; nft 'add chain inet truth f { type filter hook forward priority 0; }'; nft add rule inet truth f udp dport 7000-7099 drop");
        var exchange = new LabExchange(lab, ipv6);
        int count = TruthSettings.Refused;

        TruthRun run = await TruthRun.WatchAsync(lab, _routers, () =>
        {
            Traffic.Closed(lab, new TrafficRequest { To = "r1", Count = count, Port = 9, Ipv6 = ipv6 });
            Traffic.NoRoute(lab, new TrafficRequest { Count = count, Port = 10, Ipv6 = ipv6 });
            exchange.Send("client", exchange.AddressOf("server"), 6000, count, ttl: 1);
            exchange.ConnectRefused("client", exchange.AddressOf("r1"), 5000, count);
            exchange.Send("client", exchange.AddressOf("server"), 7000, count);
            exchange.Settle("client", "server");
        });

        run.AssertAgreement();
        AssertDrops(run, "r1", count, "NO_SOCKET", trace => trace is { ProtocolName: "UDP", DstPort: 9 });
        AssertDrops(run, "r1", count, "IP_INNOROUTES", trace => trace is { ProtocolName: "UDP", DstPort: 10 });
        AssertDrops(run, "r1", count, "IP_INHDR", trace => trace is { ProtocolName: "UDP", DstPort: >= 6000 and < 6100 });
        AssertDrops(run, "r1", count, "NO_SOCKET", trace => trace is { ProtocolName: "TCP", DstPort: >= 5000 and < 5100 });
        AssertDrops(run, "r2", count, "NETFILTER_DROP", trace => trace is { ProtocolName: "UDP", DstPort: >= 7000 and < 7100 });
        AssertDropCount(run, "r1", 4 * count);
        AssertDropCount(run, "r2", count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Large_transfers_pass_with_the_same_bytes_at_each_place(bool ipv6)
    {
        TruthRun.Required();
        using LabNetwork lab = Root.Line();
        var exchange = new LabExchange(lab, ipv6);
        int bytes = TruthSettings.IsShort ? 100_000 : 500_000;

        TruthRun run = await TruthRun.WatchAsync(lab, _routers, () =>
        {
            for (int i = 0; i < 4; i++)
            {
                exchange.Transfer("client", "server", exchange.AddressOf("server"), 8000 + i, bytes, download: i % 2 == 1);
            }
            exchange.Settle("client", "server");
        });

        Assert.All(run.Hosts.Values, StreamBooks.AssertEqual);
        run.AssertAgreement();
        Assert.Contains(run.Hosts["r1"].Traces, trace => trace.In?.Segments > 1);
    }

    [Fact]
    public async Task One_session_over_all_namespaces_has_one_trace_per_packet_and_namespace()
    {
        TruthRun.Required();
        using LabNetwork lab = Root.Line();

        TruthRun run = await TruthRun.WatchAsync(lab, _everybody, () => NumberedTraffic(lab, ipv6: false), allNamespaces: true);

        run.AssertAgreement();
    }

    [Fact]
    public async Task NAT_changes_the_tuple_and_never_the_number_of_traces()
    {
        TruthRun.Required();
        using LabNetwork lab = Root.Line();
        Run(lab, "r1", "nft add table ip nat; nft 'add chain ip nat post { type nat hook postrouting priority 100; }'; nft add rule ip nat post oif eth1 masquerade");
        Run(lab, "r2", "nft add table ip nat; nft 'add chain ip nat pre { type nat hook prerouting priority -100; }'; nft add rule ip nat pre iif eth0 ip daddr 10.2.0.2 meta l4proto { tcp, udp } dnat to 10.3.0.2");
        var exchange = new LabExchange(lab);
        var outside = System.Net.IPAddress.Parse("10.2.0.2");

        TruthRun run = await TruthRun.WatchAsync(lab, _routers, () =>
        {
            exchange.Echo("client", "server", outside, 9000, TruthSettings.UdpPackets / 5);
            for (int i = 0; i < TruthSettings.TcpConnections / 10; i++)
            {
                exchange.Transfer("client", "server", outside, 9001, 2000, download: false);
            }
            exchange.Settle("client", "server");
        });

        run.AssertAgreement(nat: true);
        Assert.Contains(run.Hosts["r1"].Traces, trace => trace is { In.SrcIp: "10.1.0.2", Out.SrcIp: "10.2.0.1" });
        Assert.Contains(run.Hosts["r2"].Traces, trace => trace is { In.DstIp: "10.2.0.2", Out.DstIp: "10.3.0.2" });
    }

    /// <summary>Numbered by port, so that no two are alike; then as many that differ in nothing but their payload.</summary>
    private static void NumberedTraffic(LabNetwork lab, bool ipv6)
    {
        var udp = new TrafficRequest { Count = TruthSettings.UdpPackets, Rate = TruthSettings.Rate, SpreadPorts = true, Ipv6 = ipv6 };
        Assert.Equal(udp.Count, Traffic.Udp(lab, udp).Received);
        Assert.Equal(udp.Count, Traffic.Udp(lab, udp with { SpreadPorts = false, Port = 39_999 }).Received);
        var tcp = new TrafficRequest { Count = TruthSettings.TcpConnections, Ipv6 = ipv6 };
        Assert.Equal(tcp.Count, Traffic.Tcp(lab, tcp).Received);
        new LabExchange(lab, ipv6).Settle("client", "server");
    }

    private static void AssertDrops(TruthRun run, string host, int count, string reason, Func<TraceRecord, bool> which)
    {
        TraceRecord[] traces = [.. run.Hosts[host].Traces.Where(trace => trace.In is not null && which(trace))];
        Assert.True(
            traces.Length == count && traces.All(trace => trace.DropReason == reason),
            $"{host}: expected {count} drops with {reason}:\n{string.Join('\n', traces.Take(5).Select(TraceRules.Words))}");
    }

    private static void AssertDropCount(TruthRun run, string host, int count)
    {
        TraceRecord[] drops = [.. run.Hosts[host].Drops];
        Assert.True(drops.Length == count, $"{host}: expected {count} drops, not {drops.Length}:\n{string.Join('\n', drops.Select(TraceRules.Words))}");
    }

    private static void AssertExports(TruthRun run, TempDirectory directory)
    {
        string[] exports = [.. directory.Names.Select(directory.File)];
        Assert.Equal(run.Hosts.Count, exports.Length);
        Assert.All(exports, export => Assert.Empty(ExportSchema.Validate(export)));
        List<string> keys = [];
        foreach (string export in exports)
        {
            using var reader = ExportReader.Open(export);
            keys.AddRange(reader.ReadTraces().Select(trace => trace.Key));
        }
        Assert.Empty(run.Hosts.Values.SelectMany(host => host.Traces).Select(trace => trace.Key).Except(keys, StringComparer.Ordinal));
        Assert.Equal(keys.Count, keys.Distinct(StringComparer.Ordinal).Count());
    }

    private static void Run(LabNetwork lab, string host, string command)
    {
        ToolResult result = Tool.Run("ip", ["netns", "exec", lab.NamespaceOf(host), "sh", "-ec", command]);
        Assert.SkipWhen(result.Errors.Contains("not found", StringComparison.Ordinal), "needs nft");
        Assert.True(result.ExitCode == 0, result.Errors);
    }
}
