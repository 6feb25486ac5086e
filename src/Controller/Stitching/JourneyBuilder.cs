using System.IO.Hashing;
using System.Runtime.InteropServices;
using NftCluster.Controller.Storage;

namespace NftCluster.Controller.Stitching;

/// <summary>
/// Hops in any order, with repeats, become journeys: the same set gives the same journeys. Pure: no clock, no I/O. Joins are found
/// group by group when they are asked for, so that adding a hop costs a few look-ups. For one thread.
/// </summary>
internal sealed class JourneyBuilder
{
    private readonly JoinRules _rules;
    private readonly WireJoiner _wire;
    private readonly LooseJoiner _loose;
    private readonly Dictionary<TraceId, Hop> _hops = [];
    private readonly Dictionary<ulong, List<Hop>> _byWire = [];
    private readonly Dictionary<ulong, List<Hop>> _byContent = [];
    private readonly Dictionary<ulong, List<Hop>> _byStream = [];
    private readonly Dictionary<ulong, List<Hop>> _byDatagram = [];

    public JourneyBuilder()
        : this(new JoinOptions())
    {
    }

    public JourneyBuilder(JoinOptions options)
    {
        _rules = new JoinRules(options);
        _wire = new WireJoiner(_rules);
        _loose = new LooseJoiner(_rules);
    }

    public int Count => _hops.Count;

    /// <summary>False for one that is here already.</summary>
    public bool Add(Hop hop)
    {
        if (!_hops.TryAdd(hop.Id, hop))
        {
            return false;
        }
        AddTo(_byWire, hop, hop.In?.Wire, hop.Out?.Wire);
        AddTo(_byContent, hop, hop.In?.Content, hop.Out?.Content);
        AddTo(_byStream, hop, StreamOf(hop.In), StreamOf(hop.Out));
        AddTo(_byDatagram, hop, DatagramOf(hop.In), DatagramOf(hop.Out));
        return true;
    }

    public void Clear()
    {
        _hops.Clear();
        _byWire.Clear();
        _byContent.Clear();
        _byStream.Clear();
        _byDatagram.Clear();
    }

    /// <summary>All journeys, oldest first.</summary>
    public IReadOnlyList<JourneyHops> Build()
    {
        // 1. What a wire digest joins; 2. of the ends that are still open: streams and datagrams; 3. then what NAT hides.
        HashSet<TraceId> joinedOut = [];
        HashSet<TraceId> joinedIn = [];
        List<Join> joins = [];
        void Found(Join join)
        {
            joins.Add(join);
            joinedOut.Add(join.From.Id);
            joinedIn.Add(join.To.Id);
        }
        EachGroup(_byWire, (digest, group) => _wire.Join(group, digest, Found));
        // What one group finds must not depend on which group was looked at before: ends close behind each kind.
        List<Join> loose = [];
        EachGroup(_byStream, (_, group) => _loose.JoinRanges(group, OutIsOpen, InIsOpen, loose.Add));
        EachGroup(_byDatagram, (_, group) => _loose.JoinFragments(group, OutIsOpen, InIsOpen, loose.Add));
        Take();
        EachGroup(_byContent, (content, group) => _loose.JoinContent(group, content, OutIsOpen, InIsOpen, loose.Add));
        Take();
        return JourneySorter.Sort(_hops.Values, joins);

        bool OutIsOpen(Hop hop) => !joinedOut.Contains(hop.Id);
        bool InIsOpen(Hop hop) => !joinedIn.Contains(hop.Id);
        void Take()
        {
            foreach (Join join in loose.DistinctBy(join => (join.From.Id, join.To.Id)))
            {
                Found(join);
            }
            loose.Clear();
        }
    }

    private static void EachGroup(Dictionary<ulong, List<Hop>> groups, Action<ulong, List<Hop>> work)
    {
        foreach ((ulong key, List<Hop> group) in groups)
        {
            if (group.Count > 1)
            {
                work(key, group);
            }
        }
    }

    private static void AddTo(Dictionary<ulong, List<Hop>> groups, Hop hop, ulong? one, ulong? other)
    {
        if (one is { } first)
        {
            Group(groups, first).Add(hop);
        }
        if (other is { } second && other != one)
        {
            Group(groups, second).Add(hop);
        }
    }

    private static List<Hop> Group(Dictionary<ulong, List<Hop>> groups, ulong key)
    {
        ref List<Hop>? group = ref CollectionsMarshal.GetValueRefOrAddDefault(groups, key, out _);
        return group ??= new List<Hop>(4);
    }

    /// <summary>One direction of a TCP connection that carries data, where it may have been cut anew.</summary>
    private static ulong? StreamOf(HopSide? side) => side is { IsTcpData: true } ? Hash(side.Endpoints, 1) : null;

    private static ulong? DatagramOf(HopSide? side) =>
        side is { IpId: > 0 } ? Hash(side.Endpoints with { SourcePort = (ushort)side.IpId, DestinationPort = 0 }, 2) : null;

    private static ulong Hash(Endpoints endpoints, long seed) => XxHash3.HashToUInt64(MemoryMarshal.AsBytes(new ReadOnlySpan<Endpoints>(in endpoints)), seed);
}
