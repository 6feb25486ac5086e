using NftCluster.Messages.Link;

namespace NftCluster.Node.Uplink;

/// <summary>Who this node is to its controller, and how patiently it tries.</summary>
internal sealed record UplinkOptions
{
    public required ControllerAddress Controller { get; init; }

    public required string Name { get; init; }

    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    public required Host Host { get; init; }

    public TimeSpan FirstWait { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>After a restart of the controller a whole fleet is back within ten seconds.</summary>
    public TimeSpan MostWait { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>Who was refused for good only asks now and then.</summary>
    public TimeSpan RefusedWait { get; init; } = TimeSpan.FromMinutes(1);
}
