using NftCluster.Lab;
using NftCluster.Node.Nftables;
using NftCluster.Tests.Lab;

namespace NftCluster.Tests.Node.Nftables;

/// <summary>Real rulesets in a namespace of the test's own.</summary>
public sealed class RulesetReaderTests
{
    private const string AllFamilies = """
        table inet filter {
            comment "of the table"
            set blocked {
                type ipv4_addr
                flags timeout,dynamic
                size 1000
                elements = { 10.0.0.1 timeout 1h comment "el # handle 3" }
            }
            map verdicts {
                type ipv4_addr : verdict
                elements = { 1.2.3.4 : drop }
            }
            counter named { }
            chain input {
                comment "chain # handle 1"
                type filter hook input priority filter + 5; policy drop;
                tcp dport { 22, 80, 443, 1000-2000, 3000, 3002, 3004, 3006, 3008, 3010, 3012, 3014, 3016, 3018, 3020, 3022, 3024, 3026 } counter accept comment "quo { } # handle 2"
                ip saddr vmap { 10.0.0.1 : drop, 10.0.0.2 : jump other, 10.0.0.3 : goto other }
                ip saddr @blocked drop
                ip saddr vmap @verdicts
                log prefix "a { b } # handle 9 " limit rate 10/second
                update @blocked { ip saddr limit rate 10/minute } counter
                counter name named
                quota over 10 mbytes drop
                ip daddr . tcp dport { 10.0.0.1 . 80, 10.0.0.2 . 443 } meta mark set 0x1
                udp dport 53 reject
            }
            chain other {
                ct state established,related accept
                return
            }
            chain empty {
            }
        }
        table ip nat {
            chain post {
                type nat hook postrouting priority srcnat
                masquerade
            }
        }
        table ip6 six {
            chain forward {
                type filter hook forward priority -1; policy drop
                icmpv6 type { nd-neighbor-solicit, nd-router-advert } accept
            }
        }
        table arp a {
            chain input {
                type filter hook input priority 0
                arp operation request accept
            }
        }
        table bridge b {
            chain forward {
                type filter hook forward priority 0
                ether type ip accept
            }
        }
        table netdev n {
            chain ingress {
                type filter hook ingress devices = { lo } priority 0
                ip protocol icmp counter drop
            }
        }

        """;

    [Fact]
    public void Waiting_for_a_transaction_is_none_itself()
    {
        Root.Required();
        using NftNetwork network = new();
        network.Nft("add table ip t");
        (uint before, uint after) = NetworkNamespace.Run(network.Path, () =>
        {
            using NftNetlink netlink = new();
            uint first = netlink.AskGeneration().Generation;
            netlink.AwaitCommit();
            return (first, netlink.AskGeneration().Generation);
        });

        Assert.Equal(before, after);
    }

    [Fact]
    public void Every_rule_of_every_family_has_the_text_that_nft_prints()
    {
        Root.Required();
        using NftNetwork network = new();
        network.Nft(AllFamilies);

        Ruleset ruleset = network.Read(RuleTexts.Stateful);

        string[] expected = [.. ByNft(network, "nft", "-a", "list", "ruleset")];
        string[] read = [.. ruleset.Chains.SelectMany(chain => chain.Rules).Select(rule => $"{rule.Text} # handle {rule.Handle}")];
        Assert.Equal(17, read.Length);
        Assert.Equal(expected.Order(StringComparer.Ordinal), read.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Tables_and_chains_are_complete()
    {
        Root.Required();
        using NftNetwork network = new();
        network.Nft(AllFamilies);

        Ruleset ruleset = network.Read();

        Assert.Equal("inet filter, ip nat, ip6 six, arp a, bridge b, netdev n", string.Join(", ", ruleset.Tables.Select(table => table.ToString())));
        Assert.Equal("of the table", ruleset.Tables[0].Comment);
        RulesetChain input = ruleset.FindChain(new RulePlace(NftFamily.Inet, "filter", "input", 0))!;
        Assert.Equal("type filter hook input priority 5 policy drop", input.Hook!.ToString());
        Assert.Equal("chain # handle 1", input.Comment);
        Assert.Equal(10, input.Rules.Count);
        Assert.Equal("quo { } # handle 2", input.Rules[0].Comment);
        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], input.Rules.Select(rule => rule.Position));
        Assert.Equal(["lo"], ruleset.FindChain(new RulePlace(NftFamily.Netdev, "n", "ingress", 0))!.Hook!.Devices);
        Assert.Null(ruleset.FindChain(new RulePlace(NftFamily.Inet, "filter", "other", 0))!.Hook);
        RulesetRule last = input.Rules[^1];
        Assert.Same(last, ruleset.FindRule(new RulePlace(NftFamily.Inet, "filter", "input", last.Handle)));
    }

    [Fact]
    public void Counters_are_no_part_of_a_stateless_text()
    {
        Root.Required();
        using NftNetwork network = new();
        network.Nft("add table ip t; add chain ip t c { type filter hook output priority 0; }; add rule ip t c counter packets 5 bytes 7 accept");

        Assert.Equal("counter accept", Assert.Single(Assert.Single(network.Read().Chains).Rules).Text);
        Assert.Equal("counter packets 5 bytes 7 accept", Assert.Single(Assert.Single(network.Read(RuleTexts.Stateful).Chains).Rules).Text);
    }

    [Fact]
    public void Odd_names_and_comments_with_line_breaks_mislead_nobody()
    {
        Root.Required();
        using NftNetwork network = new();
        // nft's own grammar refuses these names, the kernel does not: other programs may use them.
        ByNft(network, "sh", "-c", """
            printf '%s' '{"nftables":[
            {"add":{"table":{"family":"inet","name":"od d{"}}},
            {"add":{"chain":{"family":"inet","table":"od d{","name":"ch \" #"}}},
            {"add":{"rule":{"family":"inet","table":"od d{","chain":"ch \" #","comment":"we\" # handle 9\n\t\tird","expr":[{"drop":null}]}}},
            {"add":{"rule":{"family":"inet","table":"od d{","chain":"ch \" #","expr":[{"accept":null}]}}},
            {"add":{"table":{"family":"ip","name":"t"}}},
            {"add":{"chain":{"family":"ip","table":"t","name":"c"}}},
            {"add":{"rule":{"family":"ip","table":"t","chain":"c","expr":[{"return":null}]}}}]}' | nft -j -f -
            """);

        Ruleset ruleset = network.Read();

        RulesetChain odd = ruleset.FindChain(new RulePlace(NftFamily.Inet, "od d{", "ch \" #", 0))!;
        Assert.Equal("drop comment \"we\" # handle 9\n\t\tird\"|accept", string.Join('|', odd.Rules.Select(rule => rule.Text)));
        Assert.Equal("return", ruleset.FindChain(new RulePlace(NftFamily.Ip, "t", "c", 0))!.Rules[0].Text);
    }

    [Fact]
    public void A_forged_listing_inside_a_comment_costs_texts_and_never_gives_a_wrong_one()
    {
        Root.Required();
        using NftNetwork network = new();
        ByNft(network, "sh", "-c", """
            printf '%s' '{"nftables":[
            {"add":{"table":{"family":"ip","name":"t"}}},
            {"add":{"chain":{"family":"ip","table":"t","name":"a"}}},
            {"add":{"chain":{"family":"ip","table":"t","name":"b"}}},
            {"add":{"rule":{"family":"ip","table":"t","chain":"a","comment":"x\n\tchain b { # handle 2\n\t\taccept # handle 4\n\t}\n","expr":[{"return":null}]}}},
            {"add":{"rule":{"family":"ip","table":"t","chain":"b","expr":[{"drop":null}]}}}]}' | nft -j -f -
            """);

        Ruleset ruleset = network.Read();

        Assert.Null(Assert.Single(ruleset.FindChain(new RulePlace(NftFamily.Ip, "t", "b", 0))!.Rules).Text);
    }

    [Fact]
    public void An_empty_ruleset_is_one()
    {
        Root.Required();
        using NftNetwork network = new();

        Ruleset ruleset = network.Read();

        Assert.Empty(ruleset.Tables);
        Assert.NotEqual(0u, ruleset.Generation);
    }

    [Fact]
    public void A_thousand_chains_with_ten_rules_each_are_read_whole()
    {
        Root.Required();
        using NftNetwork network = new();
        network.Nft("table ip big {\n" + string.Concat(Enumerable.Range(0, 1_000).Select(i =>
            $"chain c{i} {{\n{string.Concat(Enumerable.Range(0, 10).Select(j => $"tcp dport {i * 10 + j + 1} accept\n"))}}}\n")) + "}\n");

        Ruleset ruleset = network.Read();

        Assert.Equal(10_000, ruleset.RuleCount);
        Assert.All(ruleset.Chains, chain => Assert.All(chain.Rules, rule => Assert.StartsWith("tcp dport ", rule.Text, StringComparison.Ordinal)));
    }

    /// <summary>The lines of nft's own listing that end in a handle and are rules.</summary>
    private static IEnumerable<string> ByNft(NftNetwork network, string program, params string[] arguments)
    {
        ToolResult result = Tool.Run("ip", ["netns", "exec", network.Name, program, .. arguments]);
        Assert.True(result.ExitCode == 0, result.Errors);
        return result.Output.Split('\n')
            .Where(line => line.StartsWith("\t\t", StringComparison.Ordinal) && line.Contains(" # handle ", StringComparison.Ordinal) && !line.TrimStart().StartsWith("comment ", StringComparison.Ordinal) && !line.TrimStart().StartsWith("elements", StringComparison.Ordinal))
            .Select(line => line.Trim());
    }
}
