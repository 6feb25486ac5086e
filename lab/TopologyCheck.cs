using System.Net;
using System.Text.RegularExpressions;

namespace NftCluster.Lab;

/// <summary>Says in one sentence why a topology cannot be built, before anything is created.</summary>
internal static partial class TopologyCheck
{
    /// <summary>The kernel's IFNAMSIZ less the terminating zero.</summary>
    private const int MaxDeviceName = 15;

    public static string? FirstError(Topology topology)
    {
        if (!LabName().IsMatch(topology.Name))
        {
            return $"the name '{topology.Name}' is not usable: use 1 to 20 of a–z, 0–9 and '-', beginning with a letter.";
        }

        return HostErrors(topology).Concat(LinkErrors(topology)).Concat(RouteErrors(topology)).FirstOrDefault();
    }

    public static bool IsLabName(string text) => LabName().IsMatch(text);

    private static IEnumerable<string> HostErrors(Topology topology)
    {
        if (topology.Hosts.Count == 0)
        {
            yield return "it has no hosts: list at least one under \"hosts\".";
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (Host host in topology.Hosts)
        {
            // No '-' in a host: the last '-' of a namespace then always separates lab and host.
            if (!HostName().IsMatch(host.Name))
            {
                yield return $"the host name '{host.Name}' is not usable: use 1 to 20 of a–z, 0–9 and '_', beginning with a letter.";
            }

            if (!seen.Add(host.Name))
            {
                yield return $"host '{host.Name}' is listed twice: rename or remove one.";
            }

            foreach (string key in host.Sysctls.Keys.Where(key => !Sysctl().IsMatch(key)))
            {
                yield return $"host '{host.Name}': the sysctl '{key}' is not one of a network namespace: it must begin with net. and have no '/' or '..'.";
            }
        }
    }

    private static IEnumerable<string> LinkErrors(Topology topology)
    {
        var hosts = topology.Hosts.Select(host => host.Name).ToHashSet(StringComparer.Ordinal);
        var devices = new HashSet<(string Host, string Device)>();
        var addresses = new Dictionary<IPAddress, LinkEnd>();
        foreach (LinkEnd end in topology.Links.SelectMany(link => new[] { link.A, link.B }))
        {
            if (!hosts.Contains(end.Host))
            {
                yield return $"a link names the unknown host '{end.Host}': known are {string.Join(", ", hosts)}.";
            }

            if (!DeviceName().IsMatch(end.Device) || end.Device.Length > MaxDeviceName || end.Device is "lo" or "." or "..")
            {
                yield return $"host '{end.Host}': the device name '{end.Device}' is not usable: use 1 to {MaxDeviceName} letters, digits, '.', '_' or '-', and not lo.";
            }

            if (!devices.Add((end.Host, end.Device)))
            {
                yield return $"host '{end.Host}' has two devices '{end.Device}': rename one.";
            }

            foreach (string text in end.Addresses)
            {
                if (!TryParseCidr(text, out IPAddress? address))
                {
                    yield return $"host '{end.Host}', device '{end.Device}': '{text}' is not an address: write it with its prefix length, as 10.1.0.1/24 or fd01::1/64.";
                }
                else if (!addresses.TryAdd(address, end))
                {
                    yield return $"the address {address} is given to both {addresses[address].Host} and {end.Host}: change one.";
                }
            }
        }
    }

    private static IEnumerable<string> RouteErrors(Topology topology)
    {
        foreach (Host host in topology.Hosts)
        {
            foreach (Route route in host.Routes)
            {
                if (!TryParseAddress(route.Via, out IPAddress via))
                {
                    yield return $"host '{host.Name}': the gateway '{route.Via}' of the route to {route.To} is not an address: write it without a prefix length.";
                }
                else if (route.To != "default" && !IsPrefixOf(route.To, via))
                {
                    yield return $"host '{host.Name}': the route's destination '{route.To}' is not a prefix of its gateway's family: write default, or as 10.3.0.0/24 or fd03::/64 (no host bits).";
                }
                else if (!topology.EndsOf(host.Name).Any(end => end.Addresses.Any(text => OnLink(text, via))))
                {
                    yield return $"host '{host.Name}': the gateway {via} is on none of its networks: use a neighbour's address.";
                }
            }
        }
    }

    private static bool IsPrefixOf(string text, IPAddress gateway) =>
        TryParseCidr(text, out IPAddress address)
        && address.AddressFamily == gateway.AddressFamily
        && Network(address, PrefixLength(text)).BaseAddress.Equals(address);

    private static bool OnLink(string cidr, IPAddress gateway) =>
        TryParseCidr(cidr, out IPAddress? address)
        && address.AddressFamily == gateway.AddressFamily
        && Network(address, PrefixLength(cidr)).Contains(gateway);

    private static IPNetwork Network(IPAddress address, int prefixLength)
    {
        byte[] bytes = address.GetAddressBytes();
        for (int bit = prefixLength; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        }

        return new IPNetwork(new IPAddress(bytes), prefixLength);
    }

    private static int PrefixLength(string cidr) => int.Parse(cidr.AsSpan(cidr.IndexOf('/', StringComparison.Ordinal) + 1));

    // .NET also takes 10.1 for 10.0.0.1, which the program ip reads otherwise.
    private static bool TryParseAddress(string text, out IPAddress address)
    {
        address = IPAddress.TryParse(text, out IPAddress? parsed) ? parsed : IPAddress.None;
        return parsed is not null && (text.Contains(':', StringComparison.Ordinal) || text == parsed.ToString());
    }

    private static bool TryParseCidr(string text, out IPAddress address)
    {
        address = IPAddress.None;
        string[] parts = text.Split('/');
        if (parts.Length != 2 || !TryParseAddress(parts[0], out IPAddress parsed) || !Digits().IsMatch(parts[1]))
        {
            return false;
        }

        address = parsed;
        return int.Parse(parts[1]) <= parsed.GetAddressBytes().Length * 8;
    }

    [GeneratedRegex("^[a-z][a-z0-9-]{0,19}$", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex LabName();

    [GeneratedRegex("^[a-z][a-z0-9_]{0,19}$", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex HostName();

    [GeneratedRegex("^[A-Za-z0-9._-]+$", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex DeviceName();

    [GeneratedRegex(@"^net(\.[a-z0-9_-]+)+$", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Sysctl();

    [GeneratedRegex("^[0-9]{1,3}$", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Digits();
}
