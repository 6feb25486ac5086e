using Google.Protobuf;
using NftCluster.Messages.Link;

namespace NftCluster.Node.Agent;

/// <summary>
/// Whose desired set this node follows. A controller with another incarnation (an empty database), or one that has gone back to an
/// older generation (a restored one), must not stop what runs: it is refused while there are sessions, unless the operator said otherwise.
/// </summary>
internal static class Obedience
{
    /// <summary>Null = follow it; else why not, one line.</summary>
    public static string? WhyNot(Desired? followed, Desired offered, bool runsSessions, bool adopts)
    {
        if (followed is null || followed.ControllerIncarnation.IsEmpty || !runsSessions || adopts)
        {
            return null;
        }
        if (!followed.ControllerIncarnation.Equals(offered.ControllerIncarnation))
        {
            return $"the controller has another database ({Short(offered.ControllerIncarnation)}) than the one that started this node's sessions ({Short(followed.ControllerIncarnation)}): they go on as they are; restart the node with --adopt to follow the new one";
        }
        return offered.Generation < followed.Generation
            ? $"the controller wants generation {offered.Generation} of the sessions, but has asked for {followed.Generation} before (a restored database?): they go on as they are; restart the node with --adopt to follow it"
            : null;
    }

    private static string Short(ByteString incarnation) => Convert.ToHexStringLower(incarnation.Span[..Math.Min(4, incarnation.Length)]);
}
