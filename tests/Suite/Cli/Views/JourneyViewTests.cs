using NftCluster.Cli.Views;
using NftCluster.Messages;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Cli.Views;

public sealed class JourneyViewTests
{
    [Fact]
    public void A_forwarded_packet_reads_as_a_journey() => Assert.Equal(
        """
        FORWARDED 14:03:07.123456  UDP 10.1.0.2:40000 → 10.3.0.2:5000  SNAT 10.1.0.2:40000 ⇒ 192.0.2.1:1024  r1c → r1s  ttl 64→63  84.3 µs  complete  r1 netns 4026532281
          128 bytes, payload 100, ip id 7, forward, 0xffff8881/4026532281/1
          NIC         device              0  netif_receive_skb   r1c
          PREROUTING  ip            +1.3 µs  ip_rcv              r1c
          PREROUTING  netfilter     +1.4 µs  nf_hook_slow        r1c  hook=PREROUTING pf=inet4
          FORWARD     ip            +7.3 µs  ip_forward          r1c
          output      ip            +2.3 µs  ip_output           r1s  ttl 64→63
          TX          device       +72.1 µs  net_dev_start_xmit  r1s  src 10.1.0.2:40000 ⇒ 192.0.2.1:1024


        """,
        Render(Samples.Forwarded()));

    [Fact]
    public void A_dropped_packet_says_why_and_where_in_its_first_line() => Assert.Equal(
        """
        DROPPED   14:03:07.123456  UDP 10.1.0.2:40000 → 10.3.0.2:9  NO_SOCKET at __udp4_lib_rcv+0x5a  in eth0  ttl 63  2.10 ms  INCOMPLETE: timeout  r1 netns 4026532281
          128 bytes, payload 100, ip id 7, inbound, 0xffff8881/4026532281/1
          NIC        device              0  netif_receive_skb  eth0
          transport  transport    +2.10 ms  __udp4_lib_rcv     eth0  ksoftirqd/1[21]
          drop       skb           +640 ns  kfree_skb          eth0  reason=NO_SOCKET at=__udp4_lib_rcv+0x5a


        """,
        Render(Samples.Dropped()));

    [Fact]
    public void Events_on_the_same_step_name_it_once()
    {
        TraceRecord forwarded = Samples.Forwarded();
        EventRecord first = forwarded.Events[0];

        string[] lines = Render(forwarded with { Events = [first, first with { FuncName = "again", OffsetNs = 5 }] }).Split('\n');

        Assert.Equal("                    +5 ns  again              r1c", lines[3]);
    }

    [Theory]
    [InlineData(60, 74, "")]
    [InlineData(74, 60, "")]
    [InlineData(60, 78, "")]
    [InlineData(60, 94, "length 60→94")]
    [InlineData(60, 61, "length 60→61")]
    public void The_link_header_is_no_change_of_length(int before, int after, string shown)
    {
        TraceRecord forwarded = Samples.Forwarded();
        EventRecord first = forwarded.Events[0] with { Step = "POSTROUTING", Length = before };

        string line = Render(forwarded with { Events = [first, first with { Step = "qdisc", OffsetNs = 5, Length = after }] }).Split('\n')[3];

        Assert.EndsWith(shown.Length > 0 ? shown : "r1c", line, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_known_is_not_made_up()
    {
        string first = Render(Samples.Bare()).Split('\n')[0];

        Assert.Equal("UNKNOWN   14:03:07.123456  ether-0x88cc ? → ?  no device seen  84.3 µs  complete  r1 netns 4026532281", first);
    }

    [Fact]
    public void On_a_terminal_the_verdict_has_a_colour_and_still_its_word() =>
        Assert.StartsWith("\e[1;31mDROPPED\e[0m ", Render(Samples.Dropped(), colour: true), StringComparison.Ordinal);

    [Fact]
    public void A_process_name_cannot_control_the_terminal()
    {
        TraceRecord evil = Samples.Full() with { Events = [Samples.Full().Events[0] with { Comm = "\e[2J\u009b" }] };

        string text = Render(evil);

        Assert.DoesNotContain('\e', text);
        Assert.Contains("·[2J·[4242]", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, null, "xterm", true)]
    [InlineData(true, "", "xterm", true)]
    [InlineData(true, "1", "xterm", false)]
    [InlineData(false, null, "xterm", false)]
    [InlineData(true, null, "dumb", false)]
    public void Colours_are_for_terminals_whose_user_did_not_refuse_them(bool terminal, string? noColor, string term, bool colour) =>
        Assert.Equal(colour, TerminalWriter.WantsColour(terminal, name => name == "NO_COLOR" ? noColor : term));

    private static string Render(TraceRecord trace, bool colour = false)
    {
        using var text = new StringWriter();
        using var terminal = new TerminalWriter(text, colour);
        new JourneyView(terminal, JourneyView.PlaceOf(Samples.Session())).Render(trace);
        return text.ToString();
    }
}
