namespace NftCluster.Node.Nftables;

/// <summary>Ways through this host on which packets meet no chain, or none of this kernel's: one line each, or absence would look like loss.</summary>
internal static class UnseenPaths
{
    public static IReadOnlyList<string> Of(Ruleset? ruleset, DevicePrograms programs) =>
    [
        .. (ruleset?.Flowtables ?? []).Select(flow => $"connections in flow table {NftNames.Of(flow.Family)} {flow.Table} {flow.Name}{On(flow.Devices)}{(flow.IsOffloaded ? ", forwarded by hardware" : "")}"),
        .. (ruleset?.Chains ?? []).Where(chain => chain.IsOffloaded).Select(chain => $"packets that a device judges itself: offloaded chain {chain}{On(chain.Hook?.Devices ?? [])}"),
        .. programs.Xdp.Select(device => $"what an XDP program takes, drops or sends on at {device}"),
    ];

    private static string On(IReadOnlyList<string> devices) => devices.Count == 0 ? "" : $" on {string.Join(", ", devices)}";
}
