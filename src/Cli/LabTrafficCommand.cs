using System.CommandLine;
using NftCluster.Lab;

namespace NftCluster.Cli;

/// <summary><c>nftcluster lab traffic</c>: real packets through a lab that is up, with the counts of both ends.</summary>
internal static class LabTrafficCommand
{
    /// <summary>What <c>all</c> sends, in this order, and how many when --count is not given.</summary>
    private static readonly (TrafficKind Kind, int Count)[] _all =
        [(TrafficKind.Ping, 3), (TrafficKind.Udp, 10), (TrafficKind.Tcp, 3), (TrafficKind.Closed, 1), (TrafficKind.NoRoute, 1)];

    /// <summary>With 14 + 20 + 8 bytes of headers, a frame of 64 bytes.</summary>
    private const int FloodSize = 22;
    private const int UsualSize = 32;
    private const int FloodSeconds = 5;
    private const int UsualSeconds = 30;

    private static readonly Option<string> _kind = new Option<string>("--kind") { Description = "ping, udp, tcp, closed (port), noroute, all of these, or flood (64-byte frames, as fast as one core can).", DefaultValueFactory = _ => "all" }
        .AcceptOnlyFromAmong("all", "ping", "udp", "tcp", "closed", "noroute", "flood");

    private static readonly Option<int?> _count = new("--count") { Description = "Packets, or TCP connections (default: 3 pings, 10 UDP, 3 TCP, 1 else).", HelpName = "N" };
    private static readonly Option<double> _rate = new("--rate") { Description = "Packets or connections per second; 0 is flat out.", HelpName = "R" };
    private static readonly Option<int?> _size = new("--size") { Description = "Payload bytes (default 32; flood 22).", HelpName = "BYTES" };
    private static readonly Option<double?> _seconds = new("--seconds") { Description = "Stop sending after this time (default 30; flood 5).", HelpName = "S" };
    private static readonly Option<string?> _from = new("--from") { Description = "The sending host (default: the first).", HelpName = "HOST" };
    private static readonly Option<string?> _to = new("--to") { Description = "The receiving host (default: the last).", HelpName = "HOST" };
    private static readonly Option<int> _port = new("--port") { Description = "The destination port (default: the kind's own).", HelpName = "PORT" };
    private static readonly Option<int> _sourcePort = new("--source-port") { Description = "The source port of UDP (default: the kernel's choice).", HelpName = "PORT" };
    private static readonly Option<bool> _spreadPorts = new("--spread-ports") { Description = "UDP packet i goes to port PORT + i mod 1000." };
    private static readonly Option<bool> _ipv6 = new("--ipv6") { Description = "IPv6 instead of IPv4." };

    public static Command Create()
    {
        Argument<string> topology = LabCommand.TopologyArgument();
        Option<string?> prefix = LabCommand.PrefixOption();
        Option<bool> json = LabCommand.JsonOption();
        var command = new Command("traffic", "Send real packets through a lab that is up.")
        {
            topology, prefix, _kind, _count, _rate, _size, _seconds, _from, _to, _port, _sourcePort, _spreadPorts, _ipv6, json,
        };
        command.SetAction(parsed => LabCommand.Guarded(parsed, () =>
        {
            // Not disposed: the lab stays up.
            var lab = LabNetwork.Find(LabCommand.PrefixOf(parsed.GetRequiredValue(topology), parsed.GetValue(prefix)));
            IEnumerable<TrafficResult> results = Kinds(parsed.GetRequiredValue(_kind)).Select(kind => Traffic.Run(lab, kind, Request(parsed, kind)));
            TextWriter output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(json))
            {
                LabCommand.PrintJson(output, results.ToArray());
                return;
            }

            foreach (TrafficResult result in results)
            {
                output.WriteLine(Describe(result));
            }
        }));
        return command;
    }

    private static TrafficKind[] Kinds(string kind) =>
        kind == "all" ? [.. _all.Select(pair => pair.Kind)] : [Enum.Parse<TrafficKind>(kind, ignoreCase: true)];

    private static TrafficRequest Request(ParseResult parsed, TrafficKind kind)
    {
        bool flood = kind == TrafficKind.Flood;
        double seconds = parsed.GetValue(_seconds) ?? (flood ? FloodSeconds : UsualSeconds);
        return new TrafficRequest
        {
            From = parsed.GetValue(_from),
            To = parsed.GetValue(_to),
            Count = parsed.GetValue(_count) ?? Array.Find(_all, pair => pair.Kind == kind).Count + (flood ? 1 : 0),
            Rate = parsed.GetValue(_rate),
            Size = parsed.GetValue(_size) ?? (flood ? FloodSize : UsualSize),
            Limit = seconds is > 0 and <= 3600 ? TimeSpan.FromSeconds(seconds) : throw new LabException($"{seconds} seconds are not usable: use more than 0, at most 3600."),
            Ipv6 = parsed.GetValue(_ipv6),
            Port = parsed.GetValue(_port),
            SourcePort = parsed.GetValue(_sourcePort),
            SpreadPorts = parsed.GetValue(_spreadPorts) && kind == TrafficKind.Udp,
        };
    }

    private static string Describe(TrafficResult result)
    {
        string received = result.Kind switch
        {
            TrafficKind.Ping => "answered",
            TrafficKind.Tcp => "echoed and closed",
            TrafficKind.Closed or TrafficKind.NoRoute => "refused by ICMP",
            _ => "arrived",
        };
        string rate = result.Kind == TrafficKind.Flood ? $" ({result.SentPerSecond:N0}/s sent, {result.ReceivedPerSecond:N0}/s arrived)" : "";
        string twice = result.Duplicates > 0 ? $", {result.Duplicates} twice" : "";
        return $"{result.Kind.ToString().ToLowerInvariant(),-8} {result.From} → {result.Destination}: {result.Sent:N0} sent, {result.Received:N0} {received}{twice}, {result.Seconds:0.000} s{rate}";
    }
}
