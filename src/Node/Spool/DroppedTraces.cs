using NftCluster.Messages.Link;

namespace NftCluster.Node.Spool;

/// <summary>The loss record that takes the place of traces the spool could not keep.</summary>
internal static class DroppedTraces
{
    public const string Stage = "spool-full";

    public static PackedPayload Payload(string session, long traces, long fromNs, long toNs) => DataFrame.Pack(new Payload
    {
        Losses = new Losses
        {
            SessionId = session,
            Loss = { new Loss { Stage = Stage, Kind = "traces", Count = (ulong)traces, FromNs = fromNs, ToNs = toNs } },
        },
    });
}
