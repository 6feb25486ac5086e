using System.Net;
using System.Net.Sockets;

namespace NftCluster.Lab;

/// <summary>A topology that stands on this machine, one network namespace per host; disposing takes it down.</summary>
public sealed class LabNetwork : IDisposable
{
    private readonly LabMarker _marker;

    private LabNetwork(LabMarker marker) => _marker = marker;

    public Topology Topology => _marker.Topology;

    public string Prefix => _marker.Prefix;

    /// <summary>Host and namespace, in the topology's order.</summary>
    public IEnumerable<(string Host, string Namespace)> Namespaces =>
        Topology.Hosts.Select(host => (host.Name, _marker.NamespaceOf(host.Name)));

    /// <summary>Builds the topology, after removing exactly what an earlier lab of this prefix left.</summary>
    public static LabNetwork Up(Topology topology, string? prefix = null)
    {
        prefix = CheckedPrefix(prefix ?? topology.Name);
        if (TopologyCheck.FirstError(topology) is { } error)
        {
            throw new LabException($"topology '{topology.Name}': {error}");
        }

        RequireRoot();
        LabSweep.Remove(prefix);
        var marker = new LabMarker { Prefix = prefix, Id = Guid.NewGuid().ToString("N"), Topology = topology };
        foreach (string name in topology.Hosts.Select(host => marker.NamespaceOf(host.Name)).Where(NetworkNamespace.Exists))
        {
            throw new LabException($"the network namespace '{name}' exists and is not of this lab: choose another --prefix, or remove it with 'ip netns del {name}'.");
        }

        marker.Write();
        try
        {
            LabBuilder.Build(marker);
        }
        catch
        {
            // Whatever went wrong: a lab is up as a whole or not at all.
            LabSweep.Remove(prefix);
            throw;
        }

        return new LabNetwork(marker);
    }

    /// <summary>The lab of that prefix which an earlier command put up. Disposing it takes it down, too.</summary>
    public static LabNetwork Find(string prefix)
    {
        RequireRoot();
        var marker = LabMarker.Read(CheckedPrefix(prefix));
        return marker is not null && marker.Topology.Hosts.All(host => NetworkNamespace.Exists(marker.NamespaceOf(host.Name)))
            ? new LabNetwork(marker)
            : throw new LabException($"the lab '{prefix}' is not up: run 'nftcluster lab up' first.");
    }

    /// <summary>Takes down what a lab of that prefix left, whole or partial, and says which namespaces were removed; none is fine.</summary>
    public static IReadOnlyList<string> Down(string prefix)
    {
        RequireRoot();
        return LabSweep.Remove(CheckedPrefix(prefix));
    }

    /// <summary>The prefixes of all labs with a marker on this machine.</summary>
    public static IReadOnlyList<string> Prefixes() => [.. LabMarker.All().Select(marker => marker.Prefix)];

    public string NamespaceOf(string host) =>
        Topology.Hosts.Any(known => known.Name == host)
            ? _marker.NamespaceOf(host)
            : throw new LabException($"the lab '{Prefix}' has no host '{host}': its hosts are {string.Join(", ", Topology.Hosts.Select(known => known.Name))}.");

    public IPAddress AddressOf(string host, AddressFamily family) => Topology.AddressOf(host, family);

    public void Dispose()
    {
        // Only our own: a later lab of the same prefix has swept this one already.
        if (LabMarker.Read(Prefix)?.Id == _marker.Id)
        {
            LabSweep.Remove(Prefix);
        }
    }

    private static string CheckedPrefix(string prefix) =>
        TopologyCheck.IsLabName(prefix)
            ? prefix
            : throw new LabException($"the prefix '{prefix}' is not usable: use 1 to 20 of a–z, 0–9 and '-', beginning with a letter.");

    private static void RequireRoot()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            throw new LabException("the lab makes network namespaces and must be root: run it with sudo.");
        }
    }
}
