namespace NftCluster.Controller.Stitching;

/// <summary>Where packets go that leave a host through a device, learned from those that were joined: only where it is always the same host.</summary>
internal sealed class ExpectedNext
{
    /// <summary>Fewer joins are an accident.</summary>
    private const int Telling = 8;

    private readonly Dictionary<(string Node, string Device), (string? Next, int Joins)> _next = [];

    public void Learn(IEnumerable<JourneyHops> journeys)
    {
        foreach (Join join in journeys.SelectMany(journey => journey.Joins))
        {
            if (join is { Kind: JoinKind.Exact, UnseenRouters: 0, From.Out: { Device: { } device, Endpoints.IsToMany: false } })
            {
                (string Node, string Device) key = (join.From.Node, device);
                _next[key] = _next.TryGetValue(key, out (string? Next, int Joins) known)
                    ? (known.Next == join.To.Node ? known.Next : null, known.Joins + 1)
                    : (join.To.Node, 1);
            }
        }
    }

    /// <summary>Null where nobody knows, or several come into question.</summary>
    public string? After(Hop last) =>
        last is { Verdict: "forwarded", Out.Device: { } device } && _next.TryGetValue((last.Node, device), out (string? Next, int Joins) known) && known.Joins >= Telling ? known.Next : null;
}
