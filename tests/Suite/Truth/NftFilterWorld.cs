namespace NftCluster.Tests.Truth;

/// <summary>Filtering: jumps, gotos, returns, sets, maps, verdict maps, counters, both policies, reject; one table of inet and one of ip or ip6.</summary>
internal static class NftFilterWorld
{
    private const string Ruleset = """
        table inet filter {
          set good { type inet_service; flags interval; elements = { 4100-4199 } }
          map marks { type inet_service : mark; flags interval; elements = { 4200-4249 : 7, 4250-4299 : 8 } }
          map fates { type inet_service : verdict; flags interval; elements = { 4600-4619 : accept, 4620-4639 : drop } }
          counter seen { }
          chain pre {
            type filter hook prerouting priority -150; policy accept;
            counter name "seen" comment "p-count"
            meta mark set udp dport map @marks comment "p-mark"
          }
          chain input { type filter hook input priority 0; policy accept; counter comment "i-count"; }
          chain forward {
            type filter hook forward priority 0; policy drop;
            counter comment "f-count"
            udp dport vmap { 4000-4099 : jump web, 4300-4399 : goto last, 4400-4499 : accept, 4500-4599 : drop } comment "f-vmap"
            udp dport vmap @fates comment "f-fates"
            udp dport @good accept comment "f-set"
            meta mark 7 accept comment "f-mark"
            udp sport 4000-4999 accept comment "f-back"
            tcp dport 4800 ct state new,established jump web comment "f-tcp"
            tcp sport 4800 accept comment "f-tcpback"
            tcp dport 4810-4829 reject with tcp reset comment "f-reset"
            meta l4proto { icmp, ipv6-icmp } accept comment "f-icmp"
          }
          chain web {
            udp dport 4000-4019 return comment "w-return"
            udp dport 4020-4039 jump deeper comment "w-deeper"
            udp dport 4040-4059 accept comment "w-accept"
            meta l4proto tcp accept comment "w-tcp"
          }
          chain deeper {
            counter comment "d-count"
            udp dport 4030-4039 goto last comment "d-goto"
          }
          chain last {
            udp dport 4030-4349 reject with icmpx type port-unreachable comment "l-reject"
          }
          chain output { type filter hook output priority 0; policy accept; counter comment "o-count"; }
          chain post { type filter hook postrouting priority 100; policy accept; }
        }
        table FAMILY more {
          chain forward {
            type filter hook forward priority 10; policy accept;
            udp dport 4420-4439 drop comment "m-drop"
          }
        }
        """;

    private const string Pre = "inet filter pre | p-count continue | end | policy accept\n";
    private const string PreMarked = "inet filter pre | p-count continue | p-mark continue | end | policy accept\n";
    private const string Input = "inet filter input | i-count continue | end | policy accept\n";
    private const string Output = "inet filter output | o-count continue | end | policy accept\n";
    private const string Dropped = "inet filter forward | end | policy drop\n";
    private const string Post = "inet filter post | end | policy accept\n";
    private const string More = "FAMILY more forward | end | policy accept\n";
    private const string Back = Pre + "inet filter forward | f-count continue | f-back accept\n" + More + Post;
    private const string ToWeb = Pre + "inet filter forward | f-count continue | f-vmap jump web\n";
    private const string ToDeeper = ToWeb + "inet filter web | w-deeper jump deeper\n";
    private const string ToLast = Pre + "inet filter forward | f-count continue | f-vmap goto last\n";

    public static NftWorld Make(bool ipv6)
    {
        string family = ipv6 ? "ip6" : "ip";
        string Family(string text) => text.Replace("FAMILY", family, StringComparison.Ordinal);
        return new NftWorld
        {
            Ruleset = Family(Ruleset),
            Error = Output + Post,
            IsTracked = true,
            Flows = [.. Flows().Select(flow => flow with { First = Family(flow.First), Back = flow.Back is null ? null : Family(flow.Back) })],
        };
    }

    private static IEnumerable<NftFlow> Flows() =>
    [
        new(NftFlowKind.Unanswered, 4000) { First = ToWeb + "inet filter web | w-return return\n" + Dropped },
        new(NftFlowKind.Unanswered, 4020) { First = ToDeeper + "inet filter deeper | d-count continue | end\n inet filter web | end\n" + Dropped },
        new(NftFlowKind.Rejected, 4030) { First = ToDeeper + "inet filter deeper | d-count continue | d-goto goto last\n inet filter last | l-reject drop" },
        new(NftFlowKind.Answered, 4040) { First = ToWeb + "inet filter web | w-accept accept\n" + More + Post, Back = Back },
        new(NftFlowKind.Unanswered, 4060) { First = ToWeb + "inet filter web | end\n" + Dropped },
        new(NftFlowKind.Answered, 4100) { First = Pre + "inet filter forward | f-count continue | f-set accept\n" + More + Post, Back = Back },
        new(NftFlowKind.Answered, 4200) { First = PreMarked + "inet filter forward | f-count continue | f-mark accept\n" + More + Post, Back = Back },
        new(NftFlowKind.Unanswered, 4250) { First = PreMarked + "inet filter forward | f-count continue | end | policy drop" },
        new(NftFlowKind.Rejected, 4300) { First = ToLast + "inet filter last | l-reject drop" },
        new(NftFlowKind.Unanswered, 4350) { First = ToLast + "inet filter last | end\n inet filter forward | policy drop" },
        new(NftFlowKind.Answered, 4400) { First = Pre + "inet filter forward | f-count continue | f-vmap accept\n" + More + Post, Back = Back },
        new(NftFlowKind.Unanswered, 4420) { First = Pre + "inet filter forward | f-count continue | f-vmap accept\n FAMILY more forward | m-drop drop" },
        new(NftFlowKind.Unanswered, 4500) { First = Pre + "inet filter forward | f-count continue | f-vmap drop" },
        new(NftFlowKind.Answered, 4600) { First = Pre + "inet filter forward | f-count continue | f-fates accept\n" + More + Post, Back = Back },
        new(NftFlowKind.Unanswered, 4620) { First = Pre + "inet filter forward | f-count continue | f-fates drop" },
        new(NftFlowKind.Rejected, 5000) { To = "r1", First = Pre + Input },
        new(NftFlowKind.Refused, 4810) { First = Pre + "inet filter forward | f-count continue | f-reset drop", Back = Output + Post },
        new(NftFlowKind.Connections, 4800)
        {
            First = Pre + "inet filter forward | f-count continue | f-tcp jump web\n inet filter web | w-tcp accept\n" + More + Post,
            Back = Pre + "inet filter forward | f-count continue | f-tcpback accept\n" + More + Post,
        },
    ];
}
