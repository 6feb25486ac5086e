namespace NftCluster.Node.Kernel.Filter;

/// <summary>
/// Says of a filter what packets it can match at all: each way through its nodes to a "yes" leaves conditions that were found true,
/// and those on bytes that are the same from the door to the first chain (addresses, protocol, ports) are kept. What is not understood
/// is left out, so the shapes together are a superset of what the filter matches. Null: any packet, or too many ways.
/// </summary>
internal sealed class FilterShapes
{
    private const int MostShapes = 64;
    private const int MostSteps = 20_000;
    private const int Ethernet = 14;
    private const int EtherTypeAt = 12;

    private readonly FilterNode[] _nodes;
    private readonly List<PacketShape> _shapes = [];
    private int _steps;
    private bool _isAnything;

    private FilterShapes(IReadOnlyList<FilterNode> nodes) => _nodes = [.. nodes];

    public static IReadOnlyList<PacketShape>? Of(IReadOnlyList<FilterNode> nodes)
    {
        if (nodes.Count == 0)
        {
            return null;
        }
        FilterShapes walk = new(nodes);
        walk.Walk(0, new Registers(), [], null);
        return walk._isAnything ? null : walk._shapes;
    }

    private void Walk(int index, Registers registers, List<ShapeTerm> known, ushort? etherType)
    {
        if (_isAnything || ++_steps > MostSteps)
        {
            _isAnything = true;
            return;
        }
        if (index >= _nodes.Length)
        {
            return; // no answer: no match
        }
        FilterNode node = _nodes[index];
        registers = registers.After(node);
        switch (node.Test)
        {
            case FilterTest.RetK when node.TestK == 0:
                return;
            case FilterTest.RetK or FilterTest.RetA:
                Accept(known, etherType);
                return;
            case FilterTest.None:
                Walk(index + 1, registers, known, etherType);
                return;
            case FilterTest.Ja:
                Walk(node.Jt, registers, known, etherType);
                return;
        }
        foreach (bool holds in new[] { true, false })
        {
            int next = holds ? node.Jt : node.Jf;
            (uint Mask, uint Low, uint High)? range = node.TestX != 0 ? null : RangeOf(node, registers.Mask, holds);
            if (registers.Source != Source.Bytes || range is not { } found)
            {
                Walk(next, registers, known, etherType);
            }
            else if (registers is { Offset: EtherTypeAt, Size: 2, IsIndirect: false } && found.Low == found.High && found.Mask == ShapeTerm.AllBits(2))
            {
                if (etherType is null || etherType == found.Low)
                {
                    Walk(next, registers, known, (ushort)found.Low);
                }
            }
            else if (found.Low != found.High || (found.Low & ~found.Mask) == 0)
            {
                ShapeTerm term = new(registers.IsIndirect ? ShapeBase.Transport : ShapeBase.Network, registers.Offset - Ethernet, registers.Size, found.Mask, found.Low, found.High);
                Walk(next, registers, known.Contains(term) ? known : [.. known, term], etherType);
            }
        }
    }

    /// <summary>What the test says of the masked number, when it holds or does not; null where that is no single range.</summary>
    private static (uint Mask, uint Low, uint High)? RangeOf(in FilterNode node, uint mask, bool holds) => (node.Test, holds) switch
    {
        (FilterTest.Eq, true) => (mask, node.TestK, node.TestK),
        (FilterTest.Set, false) => (mask & node.TestK, 0, 0),
        (FilterTest.Ge, true) => (mask, node.TestK, uint.MaxValue),
        (FilterTest.Ge, false) when node.TestK > 0 => (mask, 0, node.TestK - 1),
        (FilterTest.Gt, true) when node.TestK < uint.MaxValue => (mask, node.TestK + 1, uint.MaxValue),
        (FilterTest.Gt, false) => (mask, 0, node.TestK),
        _ => null,
    };

    private void Accept(List<ShapeTerm> known, ushort? etherType)
    {
        const ushort Arp = 0x0806;
        const ushort ReverseArp = 0x8035;
        switch (etherType)
        {
            case Arp or ReverseArp:
                return; // passes no chain of IP
            case not (PacketShape.Ip4 or PacketShape.Ip6):
                _isAnything = true; // a tag, or no word on it: the bytes may be anywhere
                return;
        }
        bool isWhole = known.Exists(term => term is { Base: ShapeBase.Network, Offset: 6, Size: 2, Low: 0, High: 0 } && (term.Mask & 0x1fff) == 0x1fff);
        PacketShape shape = new(etherType.Value, [.. known.Where(term => IsSteady(term, etherType.Value, isWhole)).Select(Bounded).OfType<ShapeTerm>()]);
        if (!_shapes.Exists(other => other.Covers(shape)))
        {
            _shapes.RemoveAll(shape.Covers);
            _shapes.Add(shape);
            _isAnything |= _shapes.Count > MostShapes;
        }
    }

    /// <summary>
    /// Nobody changes these between the door and the first chain. Lengths and checksums do change (merged segments), and so does what
    /// lies behind a datagram's end. Ports stand where they are looked for in packets that are not fragments.
    /// </summary>
    private static bool IsSteady(ShapeTerm term, ushort etherType, bool isWhole) => (term.Base, etherType) switch
    {
        (ShapeBase.Transport, PacketShape.Ip4) => isWhole && Lies(term, 0, 4),
        (ShapeBase.Network, PacketShape.Ip4) => Lies(term, 6, 8) || Lies(term, 9, 10) || Lies(term, 12, 20),
        (ShapeBase.Network, PacketShape.Ip6) => Lies(term, 6, 7) || Lies(term, 8, PacketShape.PortsOfIp6 + 4),
        _ => false,
    };

    private static bool Lies(ShapeTerm term, int from, int end) => term.Offset >= from && term.Offset + term.Size <= end;

    /// <summary>Null where it says nothing: a mask of nothing, a range over a part of the bits, the whole range.</summary>
    private static ShapeTerm? Bounded(ShapeTerm term)
    {
        uint most = term.WholeMask;
        ShapeTerm bounded = term with { Mask = term.Mask & most, High = Math.Min(term.High, most) };
        bool isRange = bounded.Low != bounded.High;
        return bounded.Mask == 0 || bounded.Low > bounded.High || (isRange && (bounded.Mask != most || (bounded.Low == 0 && bounded.High == most))) ? null : bounded;
    }

    private enum Source : byte
    {
        Unknown,
        Bytes,
    }

    /// <summary>What A is known to be (bytes of the packet, masked) and whether X is the length of the IPv4 header.</summary>
    private readonly record struct Registers(Source Source, bool IsIndirect, int Offset, int Size, uint Mask, bool IsXHeader)
    {
        public Registers After(in FilterNode node)
        {
            Registers next = node.Load switch
            {
                FilterLoad.None or FilterLoad.St or FilterLoad.Stx => this,
                FilterLoad.Abs1 => Bytes(node, 1, false),
                FilterLoad.Abs2 => Bytes(node, 2, false),
                FilterLoad.Abs4 => Bytes(node, 4, false),
                FilterLoad.Ind1 when IsXHeader => Bytes(node, 1, true),
                FilterLoad.Ind2 when IsXHeader => Bytes(node, 2, true),
                FilterLoad.Ind4 when IsXHeader => Bytes(node, 4, true),
                FilterLoad.XMsh => this with { IsXHeader = node.LoadK == Ethernet },
                FilterLoad.XImm or FilterLoad.XLen or FilterLoad.XMem or FilterLoad.Tax => this with { IsXHeader = false },
                _ => this with { Source = Source.Unknown },
            };
            return node.Alu switch
            {
                FilterAlu.None => next,
                FilterAlu.And when node.AluX == 0 => next with { Mask = next.Mask & node.AluK },
                _ => next with { Source = Source.Unknown },
            };
        }

        private Registers Bytes(in FilterNode node, int size, bool indirect) => node.LoadK > 0xffff
            ? this with { Source = Source.Unknown }
            : this with { Source = Source.Bytes, IsIndirect = indirect, Offset = (int)node.LoadK, Size = size, Mask = ShapeTerm.AllBits(size) };
    }
}
