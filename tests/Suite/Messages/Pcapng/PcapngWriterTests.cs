using NftCluster.Lab;
using NftCluster.Messages;
using NftCluster.Messages.Pcapng;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Messages.Pcapng;

/// <summary>What tshark makes of the capture files.</summary>
public sealed class PcapngWriterTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_forwarded_packet_is_one_on_each_device_with_time_ways_and_what_became_of_it()
    {
        TraceRecord trace = Samples.Forwarded();

        string[] lines = Read([("r1", trace)], "frame.interface_name", "frame.time_epoch", "frame.packet_flags_direction", "ip.src", "ip.dst", "ip.ttl", "udp.srcport", "frame.len", "frame.comment");

        Assert.Equal(2, lines.Length);
        string[] came = lines[0].Split('\t');
        Assert.Equal(["r1/r1c", Epoch(trace.FirstSeen), "0x00000001", trace.In!.SrcIp!, trace.In.DstIp!, $"{trace.In.Ttl}", $"{trace.In.SrcPort}", $"{trace.In.Length}"], came[..8]);
        Assert.Contains("node r1, forwarded", came[8], StringComparison.Ordinal);
        string[] left = lines[1].Split('\t');
        Assert.Equal(["r1/r1s", trace.Out!.SrcIp!, $"{trace.Out.Ttl}", $"{trace.Out.SrcPort}"], [left[0], left[3], left[5], left[6]]);
        Assert.Equal("0x00000002", left[2]);
    }

    [Fact]
    public void The_rule_that_dropped_a_packet_stands_in_its_comment()
    {
        TraceRecord trace = Samples.Dropped() with
        {
            NftEvents = [new NftEventRecord { Timestamp = Samples.Dropped().FirstSeen, Verdict = "drop", TraceType = "rule", Family = "inet", Table = "filter", Chain = "forward", RuleHandle = 4, RuleText = "udp dport 5999 drop" }],
        };

        Assert.Contains("inet filter forward rule 4 \"udp dport 5999 drop\"", Assert.Single(Read([("r2", trace)], "frame.comment")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("TCP", "10.0.0.1", "10.0.0.2")]
    [InlineData("TCP", "fd01::1", "fd04::2")]
    [InlineData("UDP", "fd01::1", "fd04::2")]
    [InlineData("ICMP", "10.0.0.1", "10.0.0.2")]
    [InlineData("ICMPv6", "fd01::1", "fd04::2")]
    [InlineData("ip-47", "10.0.0.1", "10.0.0.2")]
    public void Every_kind_of_packet_is_read_without_a_warning(string protocol, string from, string to)
    {
        bool isIcmp = protocol.StartsWith("ICMP", StringComparison.Ordinal);
        int[] payloads = [0, 20, 1_400, 60_000];
        int header = (from.Contains(':', StringComparison.Ordinal) ? 40 : 20) + (protocol == "TCP" ? 32 : 8);
        (string, TraceRecord)[] traces = [.. payloads.Select(payload => ("r1", Samples.Forwarded() with
        {
            Out = null,
            In = Samples.Side("eth0", 2, 64) with
            {
                Protocol = protocol,
                SrcIp = from,
                DstIp = to,
                SrcPort = isIcmp ? null : 40_000,
                DstPort = isIcmp ? null : 443,
                TcpSeq = 1_000 + (uint)payload,
                TcpAck = 2_000,
                TcpFlags = "P.",
                IcmpType = !isIcmp ? null : protocol == "ICMP" ? 8 : 128,
                IcmpCode = isIcmp ? 0 : null,
                IcmpId = isIcmp ? 7 : null,
                IcmpSeq = isIcmp ? payload : null,
                PayloadLength = payload,
                Length = header + payload,
            },
        }))];

        string[] lines = Read(traces, "frame.len", "frame.protocols");

        Assert.Equal(payloads.Select(payload => $"{header + payload}"), lines.Select(line => line.Split('\t')[0]), StringComparer.Ordinal);
        Assert.All(lines, line => Assert.Contains(protocol == "ip-47" ? "ip" : protocol.ToLowerInvariant(), line, StringComparison.Ordinal));
    }

    [Fact]
    public void Fragments_are_read_as_fragments()
    {
        PacketSide first = Samples.Side("eth0", 2, 64) with { FragmentOffset = 0, Length = 1_500, PayloadLength = 3_000 };
        PacketSide second = first with { FragmentOffset = 1_480, SrcPort = null, DstPort = null, PayloadLength = null };

        string[] lines = Read([("r1", Samples.Forwarded() with { In = first, Out = null }), ("r1", Samples.Forwarded() with { In = second, Out = null })], "ip.flags.mf", "ip.frag_offset");

        Assert.Equal(["1\t0", $"0\t{1480 / 8}"], lines);
    }

    [Fact]
    public void What_has_no_IP_header_is_counted_and_left_out()
    {
        using MemoryStream bytes = new();
        using PcapngWriter writer = new(bytes, "test");
        writer.Add(Samples.Forwarded() with { In = Samples.Side("eth0", 2, 64) with { Protocol = "ARP" }, Out = null }, "r1");
        writer.Add(Samples.Forwarded(), "r1");
        writer.Flush();

        Assert.Equal((2, 1), (writer.Packets, writer.Skipped));
    }

    private static string Epoch(string time) => TraceTime.TryParse(time, out long ns) ? FormattableString.Invariant($"{ns / 1_000_000_000}.{ns % 1_000_000_000:D9}") : throw new FormatException(time);

    /// <summary>These fields of each packet, a line each; a warning of tshark's fails.</summary>
    private string[] Read((string Node, TraceRecord Trace)[] traces, params string[] fields)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/tshark"), "needs tshark: .ci/packages test");
        string file = _directory.File($"{Guid.NewGuid():N}.pcapng");
        using (FileStream stream = new(file, FileMode.CreateNew))
        {
            using PcapngWriter writer = new(stream, "test");
            foreach ((string node, TraceRecord trace) in traces)
            {
                writer.Add(trace, node, "id");
            }
            writer.Flush();
        }
        ToolResult warned = Tool.Run("tshark", ["-r", file, "-Y", "_ws.malformed || _ws.expert.severity >= 6291456", "-V"]);
        Assert.Equal((0, ""), (warned.ExitCode, warned.Output));
        Assert.DoesNotContain(warned.Errors.Split("; "), line => line.Length > 0 && !line.StartsWith("Running as user", StringComparison.Ordinal));
        return [.. Tool.Run("tshark", ["-r", file, "-T", "fields", .. fields.SelectMany(field => new[] { "-e", field })]).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)];
    }
}
