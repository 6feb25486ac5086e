using System.Globalization;

namespace NftCluster.Messages;

/// <summary>Protocols as traces call them: TCP, UDP, ICMP, ICMPv6, ARP, else "ip-" with the IP protocol number, "ether-0x" with the EtherType.</summary>
public static class ProtocolNames
{
    /// <summary>From what a user writes: any case, or an IP protocol number. What is unknown stays as it is: another kernel half may know it.</summary>
    public static string Read(string text) => text.ToUpperInvariant() switch
    {
        "TCP" or "6" => "TCP",
        "UDP" or "17" => "UDP",
        "ICMP" or "1" => "ICMP",
        "ICMPV6" or "ICMP6" or "IPV6-ICMP" or "58" => "ICMPv6",
        "ARP" => "ARP",
        _ when byte.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out byte number) => string.Create(CultureInfo.InvariantCulture, $"ip-{number}"),
        _ => text.ToLowerInvariant(),
    };

    /// <summary>The IP protocol number; null where it is none.</summary>
    public static byte? NumberOf(string? name) => name switch
    {
        "TCP" => 6,
        "UDP" => 17,
        "ICMP" => 1,
        "ICMPv6" => 58,
        { } other when other.StartsWith("ip-", StringComparison.Ordinal) && byte.TryParse(other.AsSpan(3), NumberStyles.None, CultureInfo.InvariantCulture, out byte number) => number,
        _ => null,
    };
}
