using System.Text;

namespace NftCluster.Lab;

/// <summary>Turns a topology into namespaces, devices, addresses and routes: two runs of ip per host.</summary>
internal static class LabBuilder
{
    /// <summary>
    /// Addresses work at once (no duplicate address detection), nothing is filtered by reverse path,
    /// and nobody sends packets that the user did not ask for (router solicitations).
    /// </summary>
    private static readonly (string Key, string Value)[] _everyHost =
    [
        ("net.ipv4.conf.all.rp_filter", "0"),
        ("net.ipv4.conf.default.rp_filter", "0"),
        ("net.ipv6.conf.all.disable_ipv6", "0"),
        ("net.ipv6.conf.default.disable_ipv6", "0"),
        ("net.ipv6.conf.default.accept_dad", "0"),
        ("net.ipv6.conf.default.dad_transmits", "0"),
        ("net.ipv6.conf.default.accept_ra", "0"),
        ("net.ipv6.conf.default.router_solicitations", "0"),

        // The kernel makes link-local addresses up to a second late, and a router cannot ask for neighbours before: we give our own.
        ("net.ipv6.conf.default.addr_gen_mode", "1"),
    ];

    private static readonly string[] _forwardingKeys =
        ["net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding", "net.ipv6.conf.default.forwarding"];

    public static void Build(LabMarker marker)
    {
        // 1. Namespaces, each marked before it gets its name.
        foreach (Host host in marker.Topology.Hosts)
        {
            NetworkNamespace.RunInNew(threadId => Create(marker, host, threadId));
        }

        // 2. Devices, addresses and routes. The earlier host of a link makes both ends.
        var built = new HashSet<string>(StringComparer.Ordinal);
        foreach (Host host in marker.Topology.Hosts)
        {
            built.Add(host.Name);
            Batch(["-n", marker.NamespaceOf(host.Name)], DeviceLines(marker, host, built));
        }

        // 3. What the user adds, when the whole network stands.
        foreach (Host host in marker.Topology.Hosts)
        {
            RunCommands(marker, host);
        }
    }

    private static void Create(LabMarker marker, Host host, int threadId)
    {
        foreach ((string key, string value) in _everyHost.Concat(_forwardingKeys.Select(key => (key, host.Forwarding ? "1" : "0"))))
        {
            WriteSysctl(host, key, value);
        }

        Batch([], $"link set lo up alias \"{marker.Alias}\"\nnetns attach {marker.NamespaceOf(host.Name)} {threadId}\n");
    }

    private static string DeviceLines(LabMarker marker, Host host, HashSet<string> built)
    {
        var lines = new StringBuilder();
        foreach (Link link in marker.Topology.Links)
        {
            (LinkEnd? near, LinkEnd? far) = link.A.Host == host.Name ? (link.A, link.B) : (link.B, link.A);
            if (near.Host == host.Name && (!built.Contains(far.Host) || far.Host == host.Name))
            {
                lines.Append($"link add {near.Device} type veth peer name {far.Device} netns {marker.NamespaceOf(far.Host)}\n");
            }
        }

        foreach (LinkEnd end in marker.Topology.EndsOf(host.Name))
        {
            foreach (string address in end.Addresses.Concat(LinkLocal(marker.Topology, end)))
            {
                lines.Append($"address add {address} dev {end.Device}{(address.Contains(':', StringComparison.Ordinal) ? " nodad" : "")}\n");
            }

            lines.Append($"link set {end.Device} up\n");

            // Neighbours are found by multicast. The kernel adds this route when it notices the carrier, up to a second late.
            // Append: a router has one for each device.
            if (HasIpv6(end))
            {
                lines.Append($"route append multicast ff00::/8 dev {end.Device} table local\n");
            }
        }

        foreach (Route route in host.Routes)
        {
            lines.Append($"route add {route.To} via {route.Via}\n");
        }

        return lines.ToString();
    }

    private static string[] LinkLocal(Topology topology, LinkEnd end) =>
        !HasIpv6(end) ? []
        : topology.Links.Any(link => ReferenceEquals(link.A, end)) ? ["fe80::a/64"] : ["fe80::b/64"];

    private static bool HasIpv6(LinkEnd end) => end.Addresses.Any(address => address.Contains(':', StringComparison.Ordinal));

    private static void RunCommands(LabMarker marker, Host host)
    {
        string name = marker.NamespaceOf(host.Name);
        if (host.Sysctls.Count > 0)
        {
            NetworkNamespace.Run(name, () =>
            {
                foreach ((string key, string value) in host.Sysctls)
                {
                    WriteSysctl(host, key, value);
                }
            });
        }

        foreach (string command in host.Commands)
        {
            ToolResult result = Tool.Run("ip", ["netns", "exec", name, "sh", "-c", command]);
            if (result.ExitCode != 0)
            {
                throw new LabException($"host '{host.Name}': the command '{command}' failed with exit code {result.ExitCode}: {result.Errors}");
            }
        }
    }

    // /proc/sys/net shows the namespace of the thread that opens the file.
    private static void WriteSysctl(Host host, string key, string value)
    {
        try
        {
            File.WriteAllText("/proc/sys/" + key.Replace('.', '/'), value);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new LabException($"host '{host.Name}': cannot set {key} to '{value}': {exception.Message}", exception);
        }
    }

    private static void Batch(string[] options, string lines)
    {
        ToolResult result = Tool.Run("ip", [.. options, "-batch", "-"], lines);
        if (result.ExitCode != 0)
        {
            throw new LabException($"ip {string.Join(' ', options)} failed: {result.Errors}");
        }
    }
}
