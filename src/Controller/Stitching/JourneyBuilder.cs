using System.IO.Hashing;
using System.Runtime.InteropServices;
using NftCluster.Controller.Storage;

namespace NftCluster.Controller.Stitching;

/// <summary>
/// Hops in any order, with repeats, become journeys: the same set gives the same journeys. Pure: no clock, no I/O. Joins are found
/// when journeys are asked for, so that adding a hop costs two look-ups. For one thread.
/// </summary>
internal sealed class JourneyBuilder
{
    /// <summary>More that look alike in one window are told by their number, not pair by pair.</summary>
    public const int MostAlike = 64;

    private readonly JoinRules _rules;
    private readonly WireJoiner _wire;
    private readonly LooseJoiner _loose;
    private readonly Dictionary<TraceId, Hop> _hops = [];
    private readonly Dictionary<ulong, List<Hop>> _byWire = [];

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
        Put(_byWire, hop, hop.In?.Wire, hop.Out?.Wire);
        return true;
    }

    public void Clear()
    {
        _hops.Clear();
        _byWire.Clear();
    }

    /// <summary>All journeys, oldest first.</summary>
    public IReadOnlyList<JourneyHops> Build()
    {
        Joined joined = new();
        // 1. The wire digest.
        foreach ((ulong digest, List<Hop> group) in _byWire)
        {
            Each(group, joined, hops => _wire.Join(hops, digest, joined.Take));
        }
        // 2. Of the ends that are still open: bytes of a stream, fragments of a datagram.
        List<Join> found = [];
        foreach (List<Hop> group in Streams(joined).Values)
        {
            Each(group, joined, hops => _loose.JoinRanges(hops, joined.IsOutOpen, joined.IsInOpen, found.Add));
        }
        foreach (List<Hop> group in Datagrams().Values)
        {
            Each(group, joined, hops => _loose.JoinFragments(hops, joined.IsOutOpen, joined.IsInOpen, found.Add));
        }
        // Taken behind each kind: what one group finds must not depend on which was looked at before.
        joined.TakeAll(found);
        // 3. What NAT hides.
        foreach ((ulong content, List<Hop> group) in Contents(joined))
        {
            Each(group, null, hops => _loose.JoinContent(hops, content, joined.IsOutOpen, joined.IsInOpen, found.Add));
        }
        joined.TakeAll(found);
        return JourneySorter.Sort(_hops.Values, joined.Joins, joined.Crowds);
    }

    /// <summary>Groups that are too large are cut where nobody was under way; what is still too large is a crowd: told where its packets had the same way, not where only their content is alike.</summary>
    private void Each(List<Hop> group, Joined? joined, Action<IReadOnlyList<Hop>> join)
    {
        if (group.Count <= 1)
        {
            return;
        }
        if (group.Count <= MostAlike)
        {
            join(group);
            return;
        }
        group.Sort(static (a, b) => a.InNs.CompareTo(b.InNs));
        for (int begin = 0, i = 1; i <= group.Count; i++)
        {
            if (i < group.Count && _rules.AreNear(group[i - 1], group[i]))
            {
                continue;
            }
            List<Hop> near = group.GetRange(begin, i - begin);
            begin = i;
            if (near.Count > MostAlike)
            {
                joined?.Crowd(near);
            }
            else if (near.Count > 1)
            {
                join(near);
            }
        }
    }

    /// <summary>All hops of the connections in which some data has an open end, by the 64 KiB of the stream that they touch.</summary>
    private Dictionary<ulong, List<Hop>> Streams(Joined joined)
    {
        HashSet<Endpoints> open = [];
        foreach (Hop hop in _hops.Values)
        {
            if (hop.Out is { IsTcpData: true } left && joined.IsOutOpen(hop))
            {
                open.Add(left.Endpoints);
            }
            if (hop.In is { IsTcpData: true } came && joined.IsInOpen(hop))
            {
                open.Add(came.Endpoints);
            }
        }
        Dictionary<ulong, List<Hop>> groups = [];
        foreach (Hop hop in _hops.Values)
        {
            if (hop.Side is { IsTcpData: true } && (Open(hop.In) || Open(hop.Out)))
            {
                Put(groups, hop, [Block(hop.In, 0), Block(hop.In, Length(hop.In)), Block(hop.Out, 0), Block(hop.Out, Length(hop.Out))]);
            }
        }
        return groups;

        bool Open(HopSide? side) => side is { IsTcpData: true } && open.Contains(side.Endpoints);
        static uint Length(HopSide? side) => side is { IsTcpData: true } ? (uint)side.PayloadLength - 1 : 0;
        static ulong? Block(HopSide? side, uint offset) => side is { IsTcpData: true } ? Hash(side.Endpoints, ((side.TcpSeq!.Value + offset) >> 16) + 1L) : null;
    }

    private Dictionary<ulong, List<Hop>> Datagrams()
    {
        Dictionary<ulong, List<Hop>> groups = [];
        HashSet<ulong> cut = [];
        foreach (Hop hop in _hops.Values)
        {
            if ((hop.In?.FragmentOffset ?? hop.Out?.FragmentOffset) is not null)
            {
                cut.UnionWith(new[] { DatagramOf(hop.In), DatagramOf(hop.Out) }.OfType<ulong>());
            }
        }
        if (cut.Count == 0)
        {
            return groups;
        }
        foreach (Hop hop in _hops.Values)
        {
            Put(groups, hop, DatagramOf(hop.In) is { } came && cut.Contains(came) ? came : null, DatagramOf(hop.Out) is { } left && cut.Contains(left) ? left : null);
        }
        return groups;

        static ulong? DatagramOf(HopSide? side) => side is { IpId: > 0 } ? Hash(side.Endpoints with { SourcePort = (ushort)side.IpId, DestinationPort = 0 }, 0) : null;
    }

    private Dictionary<ulong, List<Hop>> Contents(Joined joined)
    {
        Dictionary<ulong, List<Hop>> groups = [];
        foreach (Hop hop in _hops.Values)
        {
            if (joined.IsOutOpen(hop) || joined.IsInOpen(hop))
            {
                Put(groups, hop, hop.In?.Content, hop.Out?.Content);
            }
        }
        return groups;
    }

    private static void Put(Dictionary<ulong, List<Hop>> groups, Hop hop, params ReadOnlySpan<ulong?> keys)
    {
        for (int i = 0; i < keys.Length; i++)
        {
            if (keys[i] is { } key && !keys[..i].Contains(key))
            {
                ref List<Hop>? group = ref CollectionsMarshal.GetValueRefOrAddDefault(groups, key, out _);
                group ??= new List<Hop>(4);
                group.Add(hop);
            }
        }
    }

    private static ulong Hash(Endpoints endpoints, long seed) => XxHash3.HashToUInt64(MemoryMarshal.AsBytes(new ReadOnlySpan<Endpoints>(in endpoints)), seed);

    /// <summary>What is joined so far; an end with a join, however unsure, is no longer open.</summary>
    private sealed class Joined
    {
        private readonly HashSet<Hop> _out = new(ReferenceEqualityComparer.Instance);
        private readonly HashSet<Hop> _in = new(ReferenceEqualityComparer.Instance);

        public List<Join> Joins { get; } = [];

        /// <summary>Hops of which too many look alike, and how many.</summary>
        public Dictionary<Hop, int> Crowds { get; } = new(ReferenceEqualityComparer.Instance);

        public bool IsOutOpen(Hop hop) => !_out.Contains(hop);

        public bool IsInOpen(Hop hop) => !_in.Contains(hop);

        public void Take(Join join)
        {
            Joins.Add(join);
            _out.Add(join.From);
            _in.Add(join.To);
        }

        public void TakeAll(List<Join> found)
        {
            foreach (Join join in found.DistinctBy(join => (join.From.Id, join.To.Id)))
            {
                Take(join);
            }
            found.Clear();
        }

        public void Crowd(List<Hop> hops)
        {
            foreach (Hop hop in hops)
            {
                Crowds[hop] = Math.Max(hops.Count, Crowds.GetValueOrDefault(hop));
                _out.Add(hop);
                _in.Add(hop);
            }
        }
    }
}
