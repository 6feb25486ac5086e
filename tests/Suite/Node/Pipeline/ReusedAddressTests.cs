namespace NftCluster.Tests.Node.Pipeline;

/// <summary>
/// The next packet on an address whose last packet's end nobody saw, where neither has an id (IPv6, unconnected UDP): they
/// look alike, and still must not become one trace.
/// </summary>
public sealed class ReusedAddressTests
{
    private const ulong Address = 0xffff_8880_0001_0000;

    private readonly EventScript _script = new();

    [Fact]
    public void An_answer_from_a_socket_on_the_address_of_the_question() =>
        TwoTraces(_script.Receive(Question()).Step(Question(), "fn:udpv6_rcv").LocalOut(Answer()).Queue(Answer(), EventScript.Eth0));

    [Fact]
    public void An_answer_first_seen_at_the_device() =>
        TwoTraces(_script.Receive(Question()).Queue(Answer(), EventScript.Eth0));

    [Fact]
    public void The_answer_to_a_ping() =>
        TwoTraces(_script.Receive(Ping(128, "fd01::2", "fd01::1")).Queue(Ping(129, "fd01::9", "fd01::2"), EventScript.Eth0));

    [Fact]
    public void The_answer_to_an_ARP_request() =>
        TwoTraces(_script.Receive(Of(Frames.Arp(1, "10.0.0.1", "10.0.0.2"))).Queue(Of(Frames.Arp(2, "10.0.0.2", "10.0.0.1")), EventScript.Eth0));

    [Fact]
    public void A_packet_of_another_sender_on_another_device() =>
        TwoTraces(_script.Receive(Question()).Receive(Of(Frames.Udp6(source: "fd02::2", destination: "fd01::1")), EventScript.Eth1));

    [Fact]
    public void A_packet_to_another_destination_over_another_device_after_one_that_left() =>
        TwoTraces(_script.Queue(Question()).Xmit(Question()).Queue(Of(Frames.Udp6(source: "fd01::2", destination: "fd09::1")), EventScript.Eth0));

    [Fact]
    public void A_local_packet_after_one_that_came_in() =>
        TwoTraces(_script.Receive(Question()).LocalOut(Of(Frames.Udp6(source: "fd02::1", destination: "fd09::1"))));

    [Fact]
    public void Where_no_queue_is_watched_a_packet_that_leaves_by_another_device_than_the_one_before() =>
        TwoTraces(_script.Xmit(Question(), sampled: true).Xmit(Answer(), EventScript.Eth0, sampled: true));

    [Fact]
    public void Where_no_queue_is_watched_an_answer_that_leaves_on_the_address_of_the_question() =>
        TwoTraces(_script.Receive(Question()).Xmit(Answer(), EventScript.Eth0, sampled: true));

    [Fact]
    public void A_packet_that_cannot_have_been_inside_the_tunnel_packet_before_it() =>
        TwoTraces(_script.Receive(Of(Frames.Udp4(payload: 50, to: 4789))).Receive(Of(Frames.Udp4(payload: 32)), EventScript.Eth1));

    [Theory]
    [InlineData(4)]
    [InlineData(47)]
    public void Inside_a_tunnel_without_ports_the_bytes_around_must_fit_too(byte protocol)
    {
        byte[] outer = Frames.Ethernet(0x0800, Frames.IPv4(protocol, new byte[84], "192.0.2.1", "192.0.2.2", 900, 64));

        TwoTraces(_script.Receive(Of(outer)).Receive(Of(Frames.Udp4(payload: 20)), EventScript.Eth1));
    }

    [Fact]
    public void A_tunnel_packet_that_cannot_be_around_what_left_before_it() =>
        TwoTraces(_script.Forward(Of(Frames.Udp4(payload: 32))).LocalOut(Of(Frames.Udp4(payload: 50, to: 4789))));

    private static Skb Of(byte[] frame) => new(Address, frame);

    private static Skb Question() => Of(Frames.Udp6(source: "fd01::2", destination: "fd01::1"));

    private static Skb Answer() => Of(Frames.Udp6(source: "fd01::1", destination: "fd01::2", from: 9, to: 4000));

    private static Skb Ping(byte type, string source, string destination) =>
        Of(Frames.Ethernet(0x86dd, Frames.IPv6(58, Frames.Echo(type, 5, 7, 56), source, destination)));

    private static void TwoTraces(EventScript script) => Assert.Equal(2, TrackerRig.Traces(script).Count);
}
