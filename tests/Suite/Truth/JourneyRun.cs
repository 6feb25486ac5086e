using System.Buffers.Binary;
using System.Net;
using NftCluster.Controller.Sessions;
using NftCluster.Controller.Stitching;
using NftCluster.Controller.Storage;
using NftCluster.Lab;
using NftCluster.Messages;

namespace NftCluster.Tests.Truth;

/// <summary>
/// A numbered load through a topology of lab/ with a node in each watched router, and beside what the controller joins the truth: which packet tcpdump saw come in at which
/// router. The ports carry the number; no code of the product knows of it.
/// </summary>
internal sealed class JourneyRun
{
    /// <summary>Also what a tunnel (VXLAN, IPIP, GRE) makes of the load.</summary>
    private static readonly string _filter = $"({NumberedLoad.Filter}) or udp dst port {VxlanPort} or udp port {WireGuardPort} or ip proto 4 or ip proto 47";

    private const int VxlanPort = 4789;
    private const int WireGuardPort = 51820;

    private readonly Dictionary<TraceId, int> _numbers = [];

    /// <summary>By the IP id of the packet around it.</summary>
    private readonly Dictionary<int, int> _inTunnel = [];
    private readonly Dictionary<int, HashSet<string>> _routers = [];

    public int Sent { get; private set; }

    public IReadOnlyList<JourneyRecord> Journeys { get; private set; } = [];

    public IReadOnlyList<PathRecord> Paths { get; private set; } = [];

    public required Fleet Fleet { get; init; }

    public required string SessionId { get; init; }

    /// <summary>Until the session has ended and every node has handed over what it saw.</summary>
    public static async Task<JourneyRun> TakeAsync(Fleet fleet, int perSecond, TimeSpan time, IPAddress? to = null, Func<Fleet, ClusterSessionView, Task>? meanwhile = null)
    {
        await fleet.StartAsync();
        ClusterSessionView session = await fleet.OpenSessionAsync(_filter);
        JourneyRun run = new() { Fleet = fleet, SessionId = session.Id };
        (string Router, PacketCapture Capture)[] captures = [.. fleet.Watched.SelectMany(router => fleet.Lab.Topology.EndsOf(router).Where(end => end.Device != "mgmt")
            .Select(end => (router, PacketCapture.Start(fleet.Lab.NamespaceOf(router), end.Device, fleet.File($"{router}-{end.Device}.pcap"), _filter, "in"))))];
        try
        {
            using var load = NumberedLoad.Start(fleet.Lab, perSecond, to);
            await Task.WhenAll(Task.Delay(time, TestContext.Current.CancellationToken), meanwhile?.Invoke(fleet, session) ?? Task.CompletedTask);
            run.Sent = await load.StopAsync();
        }
        finally
        {
            foreach ((string router, PacketCapture capture) in captures)
            {
                capture.Stop();
                Assert.Equal(0, capture.DroppedByKernel);
                run.Take(router, capture);
                capture.Dispose();
            }
        }
        await run.JoinAsync();
        return run;
    }

    /// <summary>The packet that this hop's trace is of.</summary>
    public int NumberOf(HopRecord hop) => _numbers[Id(hop)];

    public bool IsNumbered(HopRecord hop) => _numbers.ContainsKey(Id(hop));

    /// <summary>Where tcpdump saw it come in.</summary>
    public IReadOnlySet<string> RoutersOf(int number) => _routers[number];

    public IEnumerable<int> Numbers => _routers.Keys;

    /// <summary>Journeys of two packets: there must be none.</summary>
    public JourneyRecord[] Mixed() => [.. Journeys.Where(journey => journey.Hops.Select(hop => _numbers.GetValueOrDefault(Id(hop), -1)).Distinct().Skip(1).Any())];

    /// <summary>Packets whose journey has every router that tcpdump saw it at, each joined for certain.</summary>
    public int Whole() => Journeys.Where(journey => journey.Ambiguous.Count == 0 && journey.Hops.Skip(1).All(hop => hop.Join?.Kind is "exact" or "nat"))
        .Select(journey => (journey.Path, Number: NumberOf(journey.Hops.First(IsNumbered)))).Where(journey => RoutersOf(journey.Number).SetEquals(journey.Path)).Select(journey => journey.Number).Distinct().Count();

    /// <summary>With the hops of the first that are mixed, and of the first traces of which nobody knows the packet.</summary>
    public string Details() => string.Join("\n", Mixed().Take(3).Select(journey => string.Join("; ", journey.Hops.Select(hop => $"{hop.NodeName} packet {(IsNumbered(hop) ? NumberOf(hop) : null)} in {hop.In?.Device} {hop.In?.SrcIp} out {hop.Out?.Device} {hop.Out?.SrcIp} {hop.Verdict} {hop.Join?.Evidence}"))));

    public string Said() => $"{Sent} sent, {_routers.Count} seen by tcpdump, {Journeys.Count} journeys, {Whole()} whole, {Mixed().Length} mixed; "
        + string.Join(", ", Journeys.GroupBy(journey => $"{string.Join('>', journey.Path)} {journey.Outcome} {string.Join('+', journey.Hops.Select(hop => hop.Join?.Kind).OfType<string>())}", StringComparer.Ordinal).OrderByDescending(group => group.Count()).Take(12).Select(group => $"{group.Key}: {group.Count()}"));

    private void Take(string router, PacketCapture capture)
    {
        foreach (PcapPacket captured in PcapFile.Read(capture.File))
        {
            Packet packet = CapturedPacket.Parse(captured);
            if (packet.DestinationPort == WireGuardPort)
            {
                continue; // what is inside, tcpdump cannot read
            }
            int number;
            if (BytesAround(packet.Protocol, packet.DestinationPort) is { } around)
            {
                if (InnerNumber(captured.Bytes.Span, around) is not { } inner)
                {
                    continue; // the ends look for each other: ARP
                }
                _inTunnel[packet.IpId!.Value] = number = inner;
            }
            else
            {
                number = NumberedLoad.NumberOf(packet.SourcePort!.Value, packet.DestinationPort!.Value);
            }
            (_routers.TryGetValue(number, out HashSet<string>? routers) ? routers : _routers[number] = new(StringComparer.Ordinal)).Add(router);
        }
    }

    private async Task JoinAsync()
    {
        TraceQueries traces = Fleet.Queries();
        await Fleet.EndSessionAsync(SessionId);
        await foreach (StoredTrace stored in traces.AllAsync(SessionId, FrameRange.All, TestContext.Current.CancellationToken))
        {
            if (NumberOf(stored.Trace) is { } number)
            {
                _numbers[stored.Id] = number;
            }
        }
        var names = (await Fleet.NodesAsync()).ToDictionary(node => node.Id, node => node.Name, StringComparer.Ordinal);
        JourneyQueries queries = new(Database.Open(Fleet.State), traces);
        List<JourneyRecord> journeys = [];
        await queries.EachAsync(SessionId, names, journeys.Add, TestContext.Current.CancellationToken);
        Journeys = [.. journeys.Where(journey => journey.Hops.Any(hop => _numbers.ContainsKey(Id(hop))))];
        Paths = await queries.PathsAsync(new TraceQuery { SessionId = SessionId }, names, TestContext.Current.CancellationToken);
        TestContext.Current.TestOutputHelper?.WriteLine(Said());
        TestContext.Current.TestOutputHelper?.WriteLine(Details());
    }

    private int? NumberOf(TraceRecord trace) =>
        new[] { trace.In, trace.Out }.OfType<PacketSide>().Where(side => side is { DstPort: >= NumberedLoad.FirstPort, SrcPort: >= NumberedLoad.FirstSource }).Select(side => (int?)NumberedLoad.NumberOf(side.SrcPort!.Value, side.DstPort!.Value)).FirstOrDefault()
        ?? (trace.In is { IpId: { } id } side && BytesAround(side.Protocol, side.DstPort) is not null && _inTunnel.TryGetValue(id, out int inner) ? inner : null);

    /// <summary>Bytes before the inner IP header: Ethernet 14, IPv4 20, and the tunnel's own; null = it is no tunnel's packet.</summary>
    private static int? BytesAround(string protocol, int? port) => (protocol, port) switch
    {
        ("UDP", VxlanPort) => 14 + 20 + 8 + 8 + 14,
        ("ip-4", _) => 14 + 20,
        ("ip-47", _) => 14 + 20 + 4,
        _ => null,
    };

    /// <summary>Null = it is no UDP over IPv4.</summary>
    private static int? InnerNumber(ReadOnlySpan<byte> frame, int around) => frame.Length >= around + 24 && frame[around] == 0x45 && frame[around + 9] == 17
        ? NumberedLoad.NumberOf(BinaryPrimitives.ReadUInt16BigEndian(frame[(around + 20)..]), BinaryPrimitives.ReadUInt16BigEndian(frame[(around + 22)..]))
        : null;

    private static TraceId Id(HopRecord hop) => TraceId.TryParse(hop.TraceId, out TraceId id) ? id : throw new InvalidDataException(hop.TraceId);
}
