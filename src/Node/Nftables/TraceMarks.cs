using System.Globalization;
using System.Text;
using NftCluster.Node.Kernel.Filter;

namespace NftCluster.Node.Nftables;

/// <summary>
/// Which packets of IP the chains of our table mark: those that a session's filter can match, and some more. Rules in nft's
/// language, one or more for each shape.
/// </summary>
internal sealed record TraceMarks(string Received, string Sent)
{
    public const string Mark = "meta nftrace set 1 accept; ";

    /// <summary>
    /// A tunnel sends the outer packet on with the inner one's sessions, and the outer says nothing of what matched: only what no
    /// tunnel makes is looked at.
    /// </summary>
    private const string MayBeTunnel = "ip protocol != tcp " + Mark + "ip6 nexthdr != tcp " + Mark;

    /// <summary>On loopback and in answers that the host makes, conntrack knows the packet at the first door: the filter is asked about both sides of NAT.</summary>
    private const string Translated = "ct status snat,dnat " + Mark;

    public bool IsForNat => Received.StartsWith(Translated, StringComparison.Ordinal);

    public static TraceMarks Everything { get; } = new(Mark, Mark);

    public static TraceMarks Nothing { get; } = new("", "");

    /// <summary>The union of all filters; null among them, or too much of anything, is everything.</summary>
    public static TraceMarks For(IReadOnlyList<IReadOnlyList<PacketShape>?> filters, Ruleset? ruleset)
    {
        const int MostShapes = 64;
        if (filters.Count == 0)
        {
            return Nothing;
        }
        PacketShape[] shapes = [.. filters.SelectMany(shapes => shapes ?? [])];
        if (ruleset is null || filters.Any(shapes => shapes is null) || shapes.Length > MostShapes)
        {
            return Everything;
        }
        StringBuilder rules = new();
        foreach (string rule in shapes.SelectMany(RulesOf).Distinct(StringComparer.Ordinal))
        {
            rules.Append(rule);
        }
        // Asked about only where the ruleset translates: the question alone would switch conntrack on.
        string nat = ruleset.Chains.Any(chain => chain.Hook?.Type == "nat") ? Translated : "";
        return new TraceMarks(nat + rules, nat + MayBeTunnel + rules);
    }

    private static IEnumerable<string> RulesOf(PacketShape shape)
    {
        bool isIp4 = shape.EtherType == PacketShape.Ip4;
        StringBuilder rule = new();
        rule.Append(isIp4 ? "meta nfproto ipv4 " : "meta nfproto ipv6 ");
        foreach (ShapeTerm term in shape.Terms)
        {
            rule.Append(Text(term));
        }
        yield return rule.Append(Mark).ToString();
        if (!shape.HasPorts)
        {
            yield break;
        }
        // A datagram that ends before its ports: the filter read what the link had filled it up with, nft reads nothing.
        if (isIp4)
        {
            yield return "ip length < 24 " + Mark;
            yield return "ip hdrlength > 5 " + Mark;
        }
        else
        {
            yield return "ip6 length < 4 " + Mark;
        }
    }

    private static string Text(ShapeTerm term)
    {
        string at = string.Create(CultureInfo.InvariantCulture, $"@{(term.Base == ShapeBase.Network ? "nh" : "th")},{term.Offset * 8},{term.Size * 8}");
        return term.Mask != term.WholeMask ? string.Create(CultureInfo.InvariantCulture, $"{at} & 0x{term.Mask:x} == 0x{term.Low:x} ")
            : term.Low == term.High ? string.Create(CultureInfo.InvariantCulture, $"{at} 0x{term.Low:x} ")
            : string.Create(CultureInfo.InvariantCulture, $"{at} 0x{term.Low:x}-0x{term.High:x} ");
    }
}
