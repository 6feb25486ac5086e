namespace NftCluster.Tests.Truth;

/// <summary>NAT, each kind of it, and notrack, in the family ip or ip6: chains of type nat see a connection's first packet only.</summary>
internal static class NftNatWorld
{
    private const string Ruleset = """
        table FAMILY raw {
          chain pre {
            type filter hook prerouting priority -300; policy accept;
            udp dport 6100-6119 notrack comment "r-notrack"
          }
        }
        table FAMILY nat {
          chain pre {
            type nat hook prerouting priority -100; policy accept;
            udp dport 6200-6219 dnat to SERVER comment "n-dnat"
            dnat to udp dport map { 6220-6239 : SERVER } comment "n-map"
            udp dport 6240-6259 redirect to :7000 comment "n-redirect"
          }
          chain post {
            type nat hook postrouting priority 100; policy accept;
            udp dport 6300-6319 masquerade comment "n-masq"
            udp dport 6320-6339 snat to OUTSIDE comment "n-snat"
            oifname "eth1" tcp dport 6400 masquerade comment "n-tcp"
          }
        }
        table FAMILY filter {
          chain forward {
            type filter hook forward priority 0; policy accept;
            ct state untracked counter comment "u-count"
            ct status dnat accept comment "d-accept"
          }
          chain input { type filter hook input priority 0; policy accept; udp dport 7000 accept comment "i-accept"; }
          chain output { type filter hook output priority 0; policy accept; counter comment "o-count"; }
        }
        """;

    private const string Raw = "FAMILY raw pre | end | policy accept\n";
    private const string NatPre = "FAMILY nat pre | end | policy accept\n";
    private const string Forward = "FAMILY filter forward | end | policy accept\n";
    private const string Translated = "FAMILY filter forward | d-accept accept\n";
    private const string NatPost = "FAMILY nat post | end | policy accept\n";
    private const string New = Raw + NatPre + Forward + NatPost;
    private const string Known = Raw + Forward;

    public static NftWorld Make(bool ipv6)
    {
        string outside = ipv6 ? "fd02::1" : "10.2.0.1";
        string Fill(string text) => text.Replace("FAMILY", ipv6 ? "ip6" : "ip", StringComparison.Ordinal)
            .Replace("SERVER", ipv6 ? "fd03::2" : "10.3.0.2", StringComparison.Ordinal).Replace("OUTSIDE", outside, StringComparison.Ordinal);
        return new NftWorld
        {
            Ruleset = Fill(Ruleset),
            IsTracked = true,
            Flows =
            [
                .. Flows(outside, Fill("SERVER")).Select(flow => flow with
                {
                    First = Fill(flow.First),
                    Later = flow.Later is null ? null : Fill(flow.Later),
                    Back = flow.Back is null ? null : Fill(flow.Back),
                }),
            ],
        };
    }

    private static IEnumerable<NftFlow> Flows(string outside, string server) =>
    [
        new(NftFlowKind.Answered, 6000) { First = New, Back = Known },
        // Not tracked on its way there, so that its answer is the first that conntrack sees.
        new(NftFlowKind.Answered, 6100) { IsUntracked = true, First = "FAMILY raw pre | r-notrack continue | end | policy accept\n FAMILY filter forward | u-count continue | end | policy accept", Back = New },
        new(NftFlowKind.Answered, 6200) { To = "r1", OutDestination = server, First = Raw + "FAMILY nat pre | n-dnat accept\n" + Translated + NatPost, Back = Raw + Translated },
        new(NftFlowKind.Answered, 6220) { To = "r1", OutDestination = server, First = Raw + "FAMILY nat pre | n-map accept\n" + Translated + NatPost, Back = Raw + Translated },
        new(NftFlowKind.Answered, 6240) { RouterPort = 7000, First = Raw + "FAMILY nat pre | n-redirect accept\n FAMILY filter input | i-accept accept", Back = "FAMILY filter output | o-count continue | end | policy accept" },
        new(NftFlowKind.Answered, 6300) { OutSource = outside, First = Raw + NatPre + Forward + "FAMILY nat post | n-masq accept", Back = Known },
        new(NftFlowKind.Answered, 6320) { OutSource = outside, First = Raw + NatPre + Forward + "FAMILY nat post | n-snat accept", Back = Known },
        new(NftFlowKind.Connections, 6400) { OutSource = outside, First = Raw + NatPre + Forward + "FAMILY nat post | n-tcp accept", Later = Known, Back = Known },
    ];
}
