using NftCluster.Messages.Link;
using NftCluster.Node.Spool;
using NftCluster.Tests.Messages.Link;

namespace NftCluster.Tests.Node.Spool;

/// <summary>Entries of one session "s" whose traces lie at second N, and what frames carry.</summary>
internal static class SpoolRig
{
    public const long Second = 1_000_000_000;

    public static SpoolEntry Traces(int second, int traces = 1, int bytes = 1_000)
    {
        Random random = new(second);
        byte[] payload = new byte[bytes];
        random.NextBytes(payload);
        return new SpoolEntry(SpoolKind.Traces, "s", second * Second, second * Second + 1, traces, new PackedPayload(Data.Types.Compression.None, bytes, (ulong)second, payload));
    }

    public static SpoolEntry Report(string session, string state) => new(
        SpoolKind.Report, session, 0, 0, 0, DataFrame.Pack(new Payload { Report = new SessionReport { SessionId = session, State = state } }));

    public static Payload Read(SpoolFrame frame) => DataFrame.Unpack(DataFrameTests.Frame(frame.Payload));
}
