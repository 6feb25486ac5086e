namespace NftCluster.Lab;

/// <summary>Removes the namespaces of one lab: those its marker names and that carry its mark, and no other.</summary>
internal static class LabSweep
{
    public static IReadOnlyList<string> Remove(string prefix)
    {
        if (LabMarker.Read(prefix) is not { } marker)
        {
            return [];
        }

        string[] ours = [.. marker.Topology.Hosts.Select(host => marker.NamespaceOf(host.Name)).Where(name => NetworkNamespace.Exists(name) && IsOurs(name, marker))];
        if (ours.Length > 0)
        {
            // -force: one that somebody removed meanwhile does not keep the others.
            ToolResult result = Tool.Run("ip", ["-force", "-batch", "-"], string.Concat(ours.Select(name => $"netns del {name}\n")));
            if (Array.Find(ours, NetworkNamespace.Exists) is { } left)
            {
                throw new LabException($"cannot remove the network namespace '{left}': {result.Errors}");
            }
        }

        // The marker goes last: killed before this line, the next sweep finds the rest.
        marker.Remove();
        return ours;
    }

    private static bool IsOurs(string name, LabMarker marker)
    {
        ToolResult result = Tool.Run("ip", ["-n", name, "link", "show", "lo"]);
        if (result.ExitCode == 0)
        {
            return result.Output.Contains($"alias {marker.Alias}\n", StringComparison.Ordinal);
        }

        // A name without a namespace behind it: 'ip netns attach' died between making the file and mounting it.
        return new FileInfo(NetworkNamespace.PathOf(name)) is { Exists: true, Length: 0 } && !IsMounted(name);
    }

    private static bool IsMounted(string name) =>
        File.ReadLines("/proc/self/mountinfo").Any(line => line.Split(' ') is { Length: > 4 } fields && fields[4] == NetworkNamespace.PathOf(name));
}
