using NftCluster.Lab;
using NftCluster.Messages;
using NftCluster.Tests.Lab;

namespace NftCluster.Tests.Truth;

/// <summary>Chains that judge before or without inet's hooks: a device's own, a bridge's, ARP's.</summary>
[Collection(TruthTestGroup.Name)]
public sealed class NftOtherFamiliesTruthTests
{
    private const string Netdev = """
        table netdev early {
          chain in {
            type filter hook ingress device "eth0" priority 0; policy accept;
            udp dport 4100-4119 drop comment "e-drop"
            udp dport 4000-4019 counter comment "e-count"
          }
          chain out {
            type filter hook egress device "eth1" priority 0; policy accept;
            udp dport 4000-4019 counter comment "x-count"
          }
        }
        table inet filter {
          chain in { type filter hook ingress device "eth0" priority 5; policy accept; udp dport 4000-4019 counter comment "i-count"; }
          chain forward { type filter hook forward priority 0; policy accept; counter comment "f-count"; }
        }
        """;

    private const string NetdevIn = "netdev early in | e-count continue | end | policy accept\n inet filter in | i-count continue | end | policy accept\n";
    private const string NetdevOut = "netdev early out | x-count continue | end | policy accept\n";
    private const string Forward = "inet filter forward | f-count continue | end | policy accept\n";

    private const string Arp = """
        table arp a {
          chain in { type filter hook input priority 0; policy accept; arp operation request counter comment "q-count"; }
          chain out { type filter hook output priority 0; policy accept; counter comment "o-count"; }
        }
        """;

    private const string Bridge = """
        table bridge b {
          chain pre { type filter hook prerouting priority -300; policy accept; udp dport 4100-4119 drop comment "b-drop"; }
          chain forward {
            type filter hook forward priority 0; policy drop;
            udp dport 4000-4019 accept comment "b-accept"
            udp sport 4000-4019 accept comment "b-back"
            meta protocol { arp, ip6 } accept comment "b-rest"
            meta l4proto icmp accept comment "b-icmp"
            udp dport 9999 accept comment "b-last"
          }
          chain post { type filter hook postrouting priority 0; policy accept; }
        }
        """;

    private const string BridgeIn = "bridge b pre | end | policy accept\n";
    private const string BridgeOut = "bridge b post | end | policy accept\n";

    private const string Switch = """
        {
          "name": "bridge",
          "hosts": [
            { "name": "client", "commands": [ "sysctl -q -w net.ipv6.conf.all.disable_ipv6=1" ] },
            { "name": "r1", "commands": [ "sysctl -q -w net.ipv6.conf.all.disable_ipv6=1", "ip link add br0 type bridge mcast_snooping 0", "ip link set eth0 master br0", "ip link set eth1 master br0", "ip link set br0 up" ] },
            { "name": "server", "commands": [ "sysctl -q -w net.ipv6.conf.all.disable_ipv6=1" ] },
          ],
          "links": [
            { "a": { "host": "client", "device": "eth0", "addresses": [ "10.9.0.1/24" ] }, "b": { "host": "r1", "device": "eth0" } },
            { "a": { "host": "server", "device": "eth0", "addresses": [ "10.9.0.2/24" ] }, "b": { "host": "r1", "device": "eth1" } },
          ],
        }
        """;

    [Fact]
    public async Task Netdev_chains_judge_before_the_router_and_after_it()
    {
        Root.Required();
        using LabNetwork lab = Root.Line();
        await CheckAsync(lab, new NftWorld
        {
            Ruleset = Netdev,
            Flows =
            [
                new(NftFlowKind.Answered, 4000) { First = NetdevIn + Forward + NetdevOut, Back = Forward },
                new(NftFlowKind.Unanswered, 4100) { First = "netdev early in | e-drop drop" },
            ],
        }, tables: 2);
    }

    [Fact]
    public async Task A_bridge_s_chains_judge_what_no_router_sees()
    {
        Root.Required();
        using var lab = LabNetwork.Up(TopologyFile.Parse(Switch), Root.NewPrefix());
        await CheckAsync(lab, new NftWorld
        {
            Hops = 0,
            Ruleset = Bridge,
            Flows =
            [
                new(NftFlowKind.Answered, 4000) { First = BridgeIn + "bridge b forward | b-accept accept\n" + BridgeOut, Back = BridgeIn + "bridge b forward | b-back accept\n" + BridgeOut },
                new(NftFlowKind.Unanswered, 4100) { First = "bridge b pre | b-drop drop" },
                new(NftFlowKind.Unanswered, 4200) { First = BridgeIn + "bridge b forward | end | policy drop" },
            ],
        }, tables: 2);
    }

    [Fact]
    public async Task ARP_that_came_in_is_joined_and_ARP_that_the_host_sends_is_never_joined_to_another_packet()
    {
        Root.Required();
        using LabNetwork lab = Root.Line();
        var exchange = new LabExchange(lab);

        NftTruthRun run = await NftTruthRun.WatchAsync(lab, "r1", Arp, $"dport {NftFlowTraffic.LastPort}", () =>
        {
            for (int i = 0; i < 5; i++)
            {
                foreach ((string host, string device) in new[] { ("client", "eth0"), ("r1", "eth0"), ("r1", "eth1"), ("r2", "eth0") })
                {
                    Assert.Equal(0, Tool.Run("ip", ["-n", lab.NamespaceOf(host), "neigh", "flush", "dev", device]).ExitCode);
                }
                exchange.Settle("client", "server");
            }
            new NftFlowTraffic(lab, ipv6: false).End();
        }, tables: 2);

        TraceRecord[] judged = [.. run.AllTraces.Where(trace => trace.NftEvents.Count > 0)];
        // A probed function has the packet in its hands, also the one that the host has just made.
        bool IsSent(TraceRecord trace) => run.IsProbed ? trace.Direction != "inbound" : trace is not { SkbAddr: not null, In.Protocol: "ARP" };
        string[] incoming = [.. judged.Where(trace => !IsSent(trace)).Select(trace => NftStep.Words(NftTruthRun.StepsOf(trace)))];
        string request = NftStep.Words(run.Listing.Read("arp a in | q-count continue | end | policy accept"));
        string reply = NftStep.Words(run.Listing.Read("arp a in | end | policy accept"));
        Assert.Contains(request, incoming, StringComparer.Ordinal);
        Assert.All(incoming, steps => Assert.True(string.Equals(steps, request, StringComparison.Ordinal) || string.Equals(steps, reply, StringComparison.Ordinal), steps));
        string sent = NftStep.Words(run.Listing.Read("arp a out | o-count continue | end | policy accept"));
        TraceRecord[] others = [.. judged.Where(IsSent)];
        Assert.NotEmpty(others);
        Assert.All(others, trace => Assert.Equal(sent, NftStep.Words(NftTruthRun.StepsOf(trace))));
        Assert.All(others, trace => Assert.Equal(run.IsProbed ? ("ARP", "forwarded") : (null, "unknown"), (trace.SkbAddr is null ? null : trace.ProtocolName, trace.FinalVerdict)));
        Assert.Equal(run.IsProbed ? 0 : others.Sum(trace => trace.NftEvents.Count), run.Unjoined);
    }

    private static async Task CheckAsync(LabNetwork lab, NftWorld world, int tables)
    {
        var traffic = new NftFlowTraffic(lab, ipv6: false);
        new LabExchange(lab).Settle("client", "server"); // neighbours are known then: no packet waits for ARP, nothing is flooded

        NftTruthRun run = await NftTruthRun.WatchAsync(lab, "r1", world.Ruleset, $"dport {NftFlowTraffic.LastPort}", () =>
        {
            foreach (NftFlow flow in world.Flows)
            {
                traffic.Send(flow);
            }
            traffic.End();
        }, tables);

        run.AssertTexts();
        new NftDerivation(world, run, new LabExchange(lab)).AssertAll();
        run.AssertJoined();
        run.AssertMonitorAgrees();
    }
}
