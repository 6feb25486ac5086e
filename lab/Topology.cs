using System.Net;
using System.Net.Sockets;

namespace NftCluster.Lab;

/// <summary>A network of hosts on one machine, as it is written in a file of <c>lab/</c>.</summary>
public sealed record Topology
{
    public required string Name { get; init; }

    /// <summary>In path order: traffic goes from the first to the last unless told otherwise.</summary>
    public required IReadOnlyList<Host> Hosts { get; init; }

    public IReadOnlyList<Link> Links { get; init; } = [];

    /// <summary>The first address of that family on the host's devices, in the order of the links.</summary>
    public IPAddress AddressOf(string host, AddressFamily family)
    {
        foreach (LinkEnd end in EndsOf(host))
        {
            foreach (string text in end.Addresses)
            {
                var address = IPAddress.Parse(text.AsSpan(0, text.IndexOf('/', StringComparison.Ordinal)));
                if (address.AddressFamily == family)
                {
                    return address;
                }
            }
        }

        string version = family == AddressFamily.InterNetworkV6 ? "IPv6" : "IPv4";
        throw new LabException($"host '{host}' has no {version} address in topology '{Name}': give one of its devices an address, or choose another host.");
    }

    /// <summary>The devices of a host, in the order of the links.</summary>
    public IEnumerable<LinkEnd> EndsOf(string host) =>
        Links.SelectMany(link => new[] { link.A, link.B }).Where(end => end.Host == host);
}

/// <summary>One network namespace: a router when it forwards, else an end.</summary>
public sealed record Host
{
    public required string Name { get; init; }

    public bool Forwarding { get; init; }

    public IReadOnlyList<Route> Routes { get; init; } = [];

    /// <summary>Below <c>net.</c>, for example <c>"net.ipv4.icmp_ratelimit": "0"</c>.</summary>
    public IReadOnlyDictionary<string, string> Sysctls { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Shell lines run inside the host when everything else is configured, for example nft rules.</summary>
    public IReadOnlyList<string> Commands { get; init; } = [];
}

/// <summary>A destination (a prefix, or <c>default</c>) and the gateway that leads there.</summary>
public sealed record Route
{
    public required string To { get; init; }

    public required string Via { get; init; }
}

/// <summary>A veth pair.</summary>
public sealed record Link
{
    public required LinkEnd A { get; init; }

    public required LinkEnd B { get; init; }
}

/// <summary>One device of a veth pair, with its addresses in CIDR form.</summary>
public sealed record LinkEnd
{
    public required string Host { get; init; }

    public required string Device { get; init; }

    public IReadOnlyList<string> Addresses { get; init; } = [];
}
