namespace NftCluster.Tests.Node.Pipeline;

/// <summary>Random packets on few addresses, used again and again, their events mixed: one trace each, with exactly its events.</summary>
public sealed class InterleavingTests
{
    private const int Addresses = 7;
    private const int PacketsPerAddress = 40;
    private const uint Loopback = 1;

    // Which packet each event belongs to is known by its time: no two have the same.
    private delegate void Event(EventScript script);

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 40)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Every_interleaving_gives_one_trace_per_packet_with_exactly_its_events(int seed)
    {
        Random random = new(seed);
        Queue<Queue<Event>>[] lanes = [.. Enumerable.Range(0, Addresses).Select(lane => Lane(random, lane))];
        EventScript script = new();
        TrackerRig rig = new();
        Dictionary<Queue<Event>, List<ulong>> truth = [];
        while (lanes.Where(l => l.Count > 0).ToArray() is { Length: > 0 } busy)
        {
            Queue<Queue<Event>> lane = busy[random.Next(busy.Length)];
            Queue<Event> packet = lane.Peek();
            packet.Dequeue()(script);
            if (!truth.TryGetValue(packet, out List<ulong>? times))
            {
                truth[packet] = times = [];
            }
            times.Add(script.NowNs);
            if (packet.Count == 0)
            {
                lane.Dequeue();
            }
            if (random.Next(20) == 0)
            {
                rig.Play(script);
            }
        }

        IReadOnlyList<ClosedTrace> traces = rig.Play(script).CloseAll();

        string[] expected = [.. truth.Values.Select(times => string.Join(' ', times)).Order(StringComparer.Ordinal)];
        string[] actual = [.. traces.Select(t => string.Join(' ', t.Events.Select(e => e.TimestampNs))).Order(StringComparer.Ordinal)];
        Assert.Equal(expected, actual, StringComparer.Ordinal);
        Assert.Equal(truth.Count, traces.Select(t => t.Generation).Distinct().Count());
        Assert.Equal((0, 0), ((int)rig.Counters.OrphanEvents, (int)rig.Counters.Repeats));
    }

    private static Queue<Queue<Event>> Lane(Random random, int lane)
    {
        Queue<Queue<Event>> packets = new();
        for (int i = 0; i < PacketsPerAddress; i++)
        {
            ushort id = (ushort)(1 + (lane * PacketsPerAddress) + i);
            Skb skb = new(0xffff_8880_0000_0000 + ((ulong)lane * 0x100), Packet(random, id)) { Head = 0xffff_8881_0000_0000 + (id * 0x1000u) };
            packets.Enqueue(new Queue<Event>(Journey(random, skb, id)));
        }
        return packets;
    }

    private static byte[] Packet(Random random, ushort id) => random.Next(3) switch
    {
        0 => Frames.Udp4(id),
        1 => Frames.Tcp4(id, sequence: (uint)(id * 100), payload: random.Next(60)),
        _ => Frames.Udp6(payload: id % 64, source: $"fd01::{id:x}", destination: "fd03::2"),
    };

    /// <summary>Most ends are not seen, as in the kernel.</summary>
    private static IEnumerable<Event> Journey(Random random, Skb skb, ushort id) => random.Next(6) switch
    {
        0 => [s => s.Receive(skb), s => s.Step(skb, "fn:ip_forward"), s => s.Queue(skb), s => s.Xmit(skb)],
        1 => [s => s.Receive(skb), s => s.Step(skb, "fn:ip_rcv"), s => s.Drop(skb)],
        2 => [s => s.Receive(skb), s => s.Step(skb, "fn:udp_rcv"), s => s.Step(skb, "tp:skb_copy_datagram_iovec"), s => s.Consume(skb)],
        3 => [s => s.LocalOut(skb), s => s.Queue(skb), s => s.Xmit(skb)],
        4 => [s => s.LocalOut(skb), s => s.Queue(skb, Loopback), s => s.Xmit(skb, Loopback), s => s.Receive(skb, Loopback), s => s.Consume(skb)],
        _ => Translated(skb, id),
    };

    private static IEnumerable<Event> Translated(Skb skb, ushort id)
    {
        Skb after = skb.Frame[12] == 0x08 && skb.Frame[23] == Frames.UdpProtocol ? skb with { Frame = Frames.Udp4(id, source: "192.0.2.1", from: 61000, ttl: 63) } : skb;
        return [s => s.Receive(skb), s => s.Queue(after, 7), s => s.Xmit(after, 7), s => s.Queue(after), s => s.Xmit(after)];
    }
}
