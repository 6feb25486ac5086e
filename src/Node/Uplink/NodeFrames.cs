using Google.Protobuf;
using NftCluster.Messages.Link;
using NftCluster.Node.Spool;

namespace NftCluster.Node.Uplink;

/// <summary>What a node says on the link.</summary>
internal static class NodeFrames
{
    public const uint OldestProtocol = 1;
    public const uint NewestProtocol = 1;

    public static Hello Hello(UplinkOptions options, ulong epoch, Observed? observed)
    {
        Hello hello = new()
        {
            ProtocolOldest = OldestProtocol,
            ProtocolNewest = NewestProtocol,
            Name = options.Name,
            Epoch = epoch,
            Host = options.Host,
            ControllerIncarnation = observed?.ControllerIncarnation ?? ByteString.Empty,
            ObservedGeneration = observed?.Generation ?? 0,
        };
        hello.Labels.Add(options.Labels.ToDictionary(l => l.Key, l => l.Value, StringComparer.Ordinal));
        return hello;
    }

    public static Data Data(SpoolFrame frame) => new()
    {
        Epoch = frame.Epoch,
        Sequence = frame.Sequence,
        Compression = frame.Payload.Compression,
        PayloadBytes = (uint)frame.Payload.PayloadBytes,
        Payload = UnsafeByteOperations.UnsafeWrap(frame.Payload.Bytes),
        Hash = frame.Payload.Hash,
    };

    /// <summary>The beat with what is known of the node; a level of null is not known now.</summary>
    public static Heartbeat Filled(Heartbeat beat, VitalsNow? vitals, SpoolLevelNow? level)
    {
        beat.Load = vitals?.Load ?? new Load();
        if (level is not null)
        {
            beat.Spool = new SpoolLevel { Bytes = (ulong)level.Bytes, Frames = (ulong)level.Frames, DroppedFrames = (ulong)level.DroppedFrames, OldestNs = level.OldestNs };
        }
        foreach ((string stage, long count) in vitals?.Counters ?? new Dictionary<string, long>(StringComparer.Ordinal))
        {
            beat.Counters[stage] = (ulong)count;
        }
        return beat;
    }
}
