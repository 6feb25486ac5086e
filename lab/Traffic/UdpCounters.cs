namespace NftCluster.Lab;

/// <summary>The kernel's own count of the datagrams that reached a socket of the calling thread's namespace.</summary>
internal static class UdpCounters
{
    /// <summary>Read by a process, or dropped because its buffer was full.</summary>
    public static long Arrived(bool ipv6) => ipv6
        ? Ipv6("Udp6InDatagrams") + Ipv6("Udp6InErrors")
        : Ipv4("InDatagrams") + Ipv4("InErrors");

    // "Udp: Name Name …", then "Udp: value value …".
    private static long Ipv4(string name)
    {
        string[][] lines = [.. File.ReadLines("/proc/thread-self/net/snmp").Where(line => line.StartsWith("Udp: ", StringComparison.Ordinal)).Select(line => line.Split(' '))];
        return long.Parse(lines[1][Array.IndexOf(lines[0], name)]);
    }

    private static long Ipv6(string name)
    {
        string line = File.ReadLines("/proc/thread-self/net/snmp6").First(line => line.StartsWith(name + ' ', StringComparison.Ordinal) || line.StartsWith(name + '\t', StringComparison.Ordinal));
        return long.Parse(line.AsSpan(name.Length).Trim());
    }
}
