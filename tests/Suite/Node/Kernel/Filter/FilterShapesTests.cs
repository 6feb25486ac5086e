using System.Buffers.Binary;
using FsCheck;
using FsCheck.Fluent;
using NftCluster.Node.Kernel.Filter;

namespace NftCluster.Tests.Node.Kernel.Filter;

/// <summary>Whatever a filter matches has one of its shapes: the shapes may let more pass, never less.</summary>
public sealed class FilterShapesTests
{
    private const int PacketsPerExpression = 20_000;

    public static TheoryData<string> Expressions => [.. FilterExpressions.All];

    [Theory]
    [MemberData(nameof(Expressions))]
    public void A_packet_that_a_filter_matches_has_one_of_its_shapes(string expression) => AssertSuperset(expression, seed: expression.Length, PacketsPerExpression);

    [Fact]
    public void So_it_is_for_any_combination()
    {
        string[] atoms = [.. FilterExpressions.All];
        Gen<string> atom = Gen.Elements(atoms).Select(text => $"({text})");
        Gen<string> negated = atom.Select(text => $"not {text}");
        Gen<string> either = Gen.OneOf(atom, negated);
        Gen<string> expression = Gen.OneOf(
            either,
            from one in either from two in either select $"{one} and {two}",
            from one in either from two in either select $"{one} or {two}",
            from one in either from two in either from three in either select $"({one} or {two}) and {three}");
        Gen<(string Expression, int Seed)> sample = from text in expression from seed in Gen.Choose(0, int.MaxValue) select (text, seed);
        Property property = Prop.ForAll(sample.ToArbitrary(), tried => AssertSuperset(tried.Expression, tried.Seed, 500));

        Check.One(Config.QuickThrowOnFailure.WithMaxTest(300), property);
    }

    [Theory]
    [InlineData("udp port 53", 4)]
    [InlineData("host 10.3.0.2", 2)]
    [InlineData("src net 10.3.0.0/16 and tcp dst portrange 80-90", 1)]
    [InlineData("ip6 host fd00::2", 2)]
    [InlineData("arp", 0)]
    public void Addresses_nets_protocols_and_ports_are_told(string expression, int shapes)
    {
        IReadOnlyList<PacketShape>? found = ShapesOf(expression);

        Assert.NotNull(found);
        Assert.Equal(shapes, found.Count);
        Assert.All(found, shape => Assert.NotEmpty(shape.Terms));
    }

    [Theory]
    [InlineData("ether host 02:00:00:00:00:01")]
    [InlineData("vlan 100 and host 10.3.0.2")]
    [InlineData("not host 10.3.0.2")]
    [InlineData("less 100")]
    public void What_cannot_be_told_is_any_packet(string expression) => Assert.Null(ShapesOf(expression));

    [Fact]
    public void Too_many_ways_are_any_packet()
    {
        string many = string.Join(" or ", Enumerable.Range(1, 100).Select(i => $"host 10.0.0.{i}"));

        Assert.Null(ShapesOf(many));
    }

    [Fact]
    public void No_filter_is_any_packet() => Assert.Null(FilterShapes.Of([]));

    private static IReadOnlyList<PacketShape>? ShapesOf(string expression) => FilterShapes.Of(FilterTranslator.Translate(FilterCompiler.Compile(expression)));

    private static void AssertSuperset(string expression, int seed, int count)
    {
        FilterNode[] nodes;
        try
        {
            nodes = FilterTranslator.Translate(FilterCompiler.Compile(expression));
        }
        catch (FilterException)
        {
            return; // "vlan and not ip6 and …" may contradict itself: nothing to match
        }
        if (FilterShapes.Of(nodes) is not { } shapes)
        {
            return;
        }
        PacketGenerator packets = new(seed);
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> packet = packets.Next(out uint frameLength);
            if (MeetsChains(packet) && FilterEvaluator.Matches(nodes, packet, frameLength) && !HasShape(shapes, packet))
            {
                Assert.Fail($"'{expression}', seed {seed}, packet {i}: {Convert.ToHexString(packet)}");
            }
        }
    }

    /// <summary>IP meets inet's chains; all else meets those of other families, where everything is marked.</summary>
    private static bool MeetsChains(ReadOnlySpan<byte> packet) =>
        packet.Length >= 34 && EtherTypeOf(packet) switch
        {
            PacketShape.Ip4 => (packet[14] & 0xf) >= 5 && packet[14] >> 4 == 4,
            PacketShape.Ip6 => packet.Length >= 54,
            0x0806 or 0x8035 => false,
            _ => true,
        };

    private static ushort EtherTypeOf(ReadOnlySpan<byte> packet) => BinaryPrimitives.ReadUInt16BigEndian(packet[12..]);

    /// <summary>As the rules of TraceMarks say it to nft, bytes as nft loads them.</summary>
    private static bool HasShape(IReadOnlyList<PacketShape> shapes, ReadOnlySpan<byte> packet)
    {
        foreach (PacketShape shape in shapes)
        {
            bool holds = shape.EtherType == EtherTypeOf(packet);
            foreach (ShapeTerm term in shape.Terms)
            {
                holds = holds && Load(term, packet) is { } value && term.Holds(value);
            }
            holds |= shape.HasPorts && shape.EtherType == PacketShape.Ip4 && EtherTypeOf(packet) == PacketShape.Ip4 && (packet[14] & 0xf) > 5;
            if (holds)
            {
                return true;
            }
        }
        return false;
    }

    private static uint? Load(ShapeTerm term, ReadOnlySpan<byte> packet)
    {
        int at = 14 + term.Offset;
        if (term.Base == ShapeBase.Transport)
        {
            if ((BinaryPrimitives.ReadUInt16BigEndian(packet[20..]) & 0x1fff) != 0)
            {
                return null; // nft finds no ports in a later fragment
            }
            at += 4 * (packet[14] & 0xf);
        }
        if (at + term.Size > packet.Length)
        {
            return null;
        }
        uint value = 0;
        foreach (byte part in packet.Slice(at, term.Size))
        {
            value = value << 8 | part;
        }
        return value;
    }
}
