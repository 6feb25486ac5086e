using System.Globalization;
using NftCluster.Messages;

namespace NftCluster.Tests.Truth;

/// <summary>What holds for every trace of a router, whatever the packet.</summary>
internal static class TraceRules
{
    private static readonly string[] _doors = ["napi_gro_receive_entry", "netif_rx", "netif_receive_skb", "net_dev_queue", "net_dev_start_xmit"];

    public static long Nanoseconds(string timestamp) =>
        (DateTimeOffset.Parse(timestamp, CultureInfo.InvariantCulture) - DateTimeOffset.UnixEpoch).Ticks * 100;

    public static void Check(TraceRecord trace, PacketLedger ledger)
    {
        void Expect(bool holds, string what)
        {
            if (!holds)
            {
                ledger.Fault($"{what}: {Words(trace)}");
            }
        }

        // Local delivery may end unseen: Linux 6.18 frees a datagram that was read later and elsewhere, without a trace of it.
        Expect(trace.Complete || trace.Direction == "inbound", $"not complete ({trace.IncompleteReason})");
        Expect(trace.Direction != "forward" || trace.FinalVerdict is "forwarded" or "dropped", "a forwarded packet neither left nor was dropped");
        Expect(trace.FinalVerdict != "unknown" || trace.Direction == "inbound", "no verdict");
        Expect(trace.FinalVerdict == "dropped" == trace.DropReason is not null, "a drop has a reason, nothing else has");
        Expect(trace.Events.Count > 0 && trace.Events[0].OffsetNs == 0, "the first event is not at 0");
        Expect(trace.Events.Zip(trace.Events.Skip(1)).All(pair => pair.First.OffsetNs <= pair.Second.OffsetNs), "events are not in the order of time");
        Expect(trace.Events.Where(e => _doors.Contains(e.FuncName)).GroupBy(e => (e.FuncName, e.Ifindex, e.SkbAddr)).All(door => door.Count() == 1), "two packets in one trace: one door twice");
    }

    public static string Words(TraceRecord trace) => string.Create(
        CultureInfo.InvariantCulture,
        $"{trace.Key} {trace.Direction} {trace.FinalVerdict} {trace.DropReason} {((trace.In ?? trace.Out) is { } side ? Packet.Of(side) : null)} via {string.Join(' ', trace.Events.Select(e => $"{e.FuncName}@{e.Ifindex}+{e.OffsetNs}"))}");
}
