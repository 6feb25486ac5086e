using NftCluster.Messages;
using NftCluster.Messages.Link;

namespace NftCluster.Node.Agent;

/// <summary>From a session's cumulative losses to "so many since the last look", each between that look and this one.</summary>
internal sealed class LossDeltas(long startNs)
{
    private readonly Dictionary<string, long> _told = new(StringComparer.Ordinal);
    private long _lastNs = startNs;

    public IReadOnlyList<Loss> Look(IEnumerable<LossRecord> losses, long nowNs)
    {
        List<Loss> grown = [];
        foreach (LossRecord loss in losses)
        {
            long before = _told.GetValueOrDefault(loss.Stage);
            if (loss.Count > before)
            {
                grown.Add(new Loss { Stage = loss.Stage, Kind = loss.Kind, Count = (ulong)(loss.Count - before), FromNs = _lastNs, ToNs = nowNs });
                _told[loss.Stage] = loss.Count;
            }
        }
        _lastNs = nowNs;
        return grown;
    }
}
