using System.Buffers.Binary;
using NftCluster.Lab;

namespace NftCluster.Tests.Lab;

public sealed class TrafficTests
{
    private const int EthernetIpv4Udp = 14 + 20 + 8;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Each_kind_is_counted_alike_at_both_ends_as_soon_as_the_lab_is_up(bool ipv6)
    {
        Root.Required();
        using LabNetwork lab = Root.Line();
        var three = new TrafficRequest { Count = 3, Ipv6 = ipv6 };

        AssertAll(3, Traffic.Ping(lab, three));
        AssertAll(3, Traffic.Tcp(lab, three));
        AssertAll(1, Traffic.Closed(lab, three with { Count = 1 }));
        AssertAll(1, Traffic.NoRoute(lab, three with { Count = 1 }));
        AssertAll(1000, Traffic.Udp(lab, three with { Count = 1000, SpreadPorts = true }));
    }

    [Fact]
    public void A_sender_stops_when_its_time_is_over()
    {
        Root.Required();
        using LabNetwork lab = Root.Line();

        TrafficResult result = Traffic.Udp(lab, new TrafficRequest { Count = 1_000_000, Rate = 100, Limit = TimeSpan.FromMilliseconds(200) });

        // How late a busy machine stops it is not the point: it stops long before its count.
        Assert.InRange(result.Sent, 2, 1_000);
        Assert.Equal(result.Sent, result.Received);
    }

    [Fact]
    public void A_flood_reports_what_was_sent_and_what_arrived()
    {
        Root.Required();
        using LabNetwork lab = Root.Line();

        TrafficResult result = Traffic.Flood(lab, new TrafficRequest { Size = 22, Limit = TimeSpan.FromMilliseconds(200) });

        Assert.InRange(result.Sent, 1000, long.MaxValue);
        Assert.InRange(result.Received, result.Sent / 2, result.Sent);
    }

    [Fact]
    public void A_capture_holds_every_numbered_packet_once()
    {
        Root.Required();
        Assert.SkipUnless(File.Exists("/usr/bin/tcpdump") || File.Exists("/usr/sbin/tcpdump"), "needs tcpdump");
        using LabNetwork lab = Root.Line();
        string file = Path.Combine(Path.GetTempPath(), $"{lab.Prefix}.pcap");
        try
        {
            using var capture = PacketCapture.Start(lab.NamespaceOf("r1"), "eth1", file, "udp");
            AssertAll(1000, Traffic.Udp(lab, new TrafficRequest { Count = 1000 }));
            capture.Stop();

            IReadOnlyList<PcapPacket> packets = PcapFile.Read(file);
            Assert.Equal(0, capture.DroppedByKernel);
            Assert.Equal(capture.Captured, packets.Count);
            Assert.Equal(Enumerable.Range(0, 1000), packets.Select(packet => BinaryPrimitives.ReadInt32BigEndian(packet.Bytes.Span[EthernetIpv4Udp..])).Order());
            Assert.True(packets[0].TimestampNs <= packets[^1].TimestampNs);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void A_capture_on_an_unknown_device_says_why()
    {
        Root.Required();
        using LabNetwork lab = Root.Line();

        LabException exception = Assert.Throws<LabException>(() => PacketCapture.Start(lab.NamespaceOf("r1"), "eth9", "/dev/null"));

        Assert.Contains("eth9", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 32, "the count 0 is not usable")]
    [InlineData(1, 3, "the size 3 is not usable")]
    [InlineData(1, 70_000, "the size 70000 is not usable")]
    public void Absurd_numbers_are_refused(int count, int size, string expected)
    {
        Root.Required();
        using LabNetwork lab = Root.Line();

        LabException exception = Assert.Throws<LabException>(() => Traffic.Udp(lab, new TrafficRequest { Count = count, Size = size }));

        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
    }

    private static void AssertAll(int expected, TrafficResult result)
    {
        Assert.Equal((result.Kind, (long)expected), (result.Kind, result.Sent));
        Assert.Equal((result.Kind, (long)expected), (result.Kind, result.Received));
        Assert.Equal(0, result.Duplicates);
    }
}
