using NftCluster.Controller.Storage;
using NftCluster.Lab;

namespace NftCluster.Tests.Truth;

/// <summary>A span of wall-clock time, in ns since 1970, both ends in it.</summary>
internal readonly record struct TimeSpanNs(long From, long To)
{
    public bool Holds(long timeNs, long toleranceNs) => timeNs >= From - toleranceNs && timeNs <= To + toleranceNs;
}

/// <summary>What one router's tcpdump saw of a <see cref="NumberedLoad"/>, and how often each packet was stored.</summary>
internal sealed class NumberedLedger
{
    private readonly Dictionary<int, long> _seenAtNs = [];
    private readonly Dictionary<int, int> _stored = [];

    public int Seen => _seenAtNs.Count;

    public static NumberedLedger Read(PacketCapture capture)
    {
        NumberedLedger ledger = new();
        foreach (PcapPacket captured in PcapFile.Read(capture.File))
        {
            Packet packet = CapturedPacket.Parse(captured);
            Assert.True(ledger._seenAtNs.TryAdd(NumberedLoad.NumberOf(packet.SourcePort!.Value, packet.DestinationPort!.Value), captured.TimestampNs), "the load repeats a number");
        }
        return ledger;
    }

    public void Store(StoredTrace trace)
    {
        int number = NumberedLoad.NumberOf(trace.Trace.SrcPort!.Value, trace.Trace.DstPort!.Value);
        _stored[number] = _stored.GetValueOrDefault(number) + 1;
    }

    public IEnumerable<int> Doubled => _stored.Where(stored => stored.Value > 1).Select(stored => stored.Key);

    public IEnumerable<int> Unseen => _stored.Keys.Where(number => !_seenAtNs.ContainsKey(number));

    public IEnumerable<(int Number, long AtNs)> Missing => _seenAtNs.Where(seen => !_stored.ContainsKey(seen.Key)).Select(seen => (seen.Key, seen.Value));
}
