using System.Runtime.InteropServices;
using NftCluster.Node.Kernel.Native;

namespace NftCluster.Node.Kernel;

/// <summary>Names of devices by namespace and index, asked of the system when an index is met that is not known yet.</summary>
internal sealed class DeviceNames
{
    private readonly Dictionary<uint, Dictionary<uint, string>> _byNamespace = [];
    private readonly HashSet<(uint Netns, uint Ifindex)> _unknown = [];

    public string? Find(uint netns, uint ifindex)
    {
        if (ifindex == 0 || _unknown.Contains((netns, ifindex)))
        {
            return null;
        }
        if (_byNamespace.TryGetValue(netns, out Dictionary<uint, string>? names) && names.TryGetValue(ifindex, out string? name))
        {
            return name;
        }
        names = _byNamespace[netns] = List(netns);
        if (names.TryGetValue(ifindex, out name))
        {
            return name;
        }
        // Gone, or in a namespace without a name: asked once.
        _unknown.Add((netns, ifindex));
        return null;
    }

    /// <summary>The index of a device, or one line that names those there are.</summary>
    public static uint IndexOf(string device, string netnsPath)
    {
        Dictionary<uint, string> names = NetworkNamespace.Run(netnsPath, ListHere);
        foreach ((uint index, string name) in names)
        {
            if (string.Equals(name, device, StringComparison.Ordinal))
            {
                return index;
            }
        }
        throw new KernelException($"no device '{device}' in this namespace: there are {string.Join(", ", names.Values)}");
    }

    private static Dictionary<uint, string> List(uint netns)
    {
        foreach (string path in NetworkNamespace.Named().Prepend(NetworkNamespace.Own))
        {
            try
            {
                if (NetworkNamespace.Inode(path) == netns)
                {
                    return NetworkNamespace.Run(path, ListHere);
                }
            }
            catch (IOException)
            {
                // It was deleted between the listing and now.
            }
        }
        return [];
    }

    private static unsafe Dictionary<uint, string> ListHere()
    {
        Dictionary<uint, string> names = [];
        if_nameindex* devices = Libc.if_nameindex();
        for (if_nameindex* device = devices; device is not null && device->if_index != 0; device++)
        {
            names[device->if_index] = Marshal.PtrToStringUTF8(device->if_name) ?? "";
        }
        if (devices is not null)
        {
            Libc.if_freenameindex(devices);
        }
        return names;
    }
}
