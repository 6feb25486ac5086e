using System.IO.Hashing;
using System.Text;
using NftCluster.Messages;

namespace NftCluster.Controller.Live;

/// <summary>What was shown of a session's journeys, so that only what has changed is shown again. The oldest are forgotten beyond a bound, and counted: should they change, they are shown as new.</summary>
internal sealed class ShownJourneys(int most = ShownJourneys.MostTraces)
{
    public const int MostTraces = 50_000;

    private readonly Dictionary<string, (string Journey, ulong Content)> _byTrace = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = new();

    public long Forgotten { get; private set; }

    /// <summary>Null where it was shown as it is; else the journeys, by their ids, whose hops it has now.</summary>
    public IReadOnlyList<string>? Take(JourneyRecord journey)
    {
        ulong content = XxHash64.HashToUInt64(Encoding.UTF8.GetBytes(string.Join('|', journey.Hops.Select(hop => hop.TraceId).Append(journey.Outcome).Concat(journey.IncompleteReasons))));
        bool isNew = false;
        HashSet<string> replaced = new(StringComparer.Ordinal);
        foreach (HopRecord hop in journey.Hops)
        {
            if (_byTrace.TryGetValue(hop.TraceId, out (string Journey, ulong Content) known))
            {
                isNew |= known.Content != content;
                replaced.Add(known.Journey);
            }
            else
            {
                isNew = true;
                _order.Enqueue(hop.TraceId);
            }
            _byTrace[hop.TraceId] = (journey.Id, content);
        }
        while (_order.Count > most)
        {
            _byTrace.Remove(_order.Dequeue());
            Forgotten++;
        }
        replaced.Remove(journey.Id);
        return isNew ? [.. replaced.Order(StringComparer.Ordinal)] : null;
    }
}
