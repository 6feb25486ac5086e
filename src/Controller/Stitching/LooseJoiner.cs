namespace NftCluster.Controller.Stitching;

/// <summary>
/// Joins what no wire digest joins: a translated packet by conntrack's tuples or by its content, parts of a TCP stream that were cut
/// anew on the way (GRO, TSO), and IP fragments to their datagram. Each only where nobody else comes into question.
/// </summary>
internal sealed class LooseJoiner(JoinRules rules)
{
    private const int TellingPayloadBytes = 8;

    /// <summary>Hops of one content digest: the functions tell whose end is still open.</summary>
    public void JoinContent(IReadOnlyList<Hop> hops, ulong content, Func<Hop, bool> isOutOpen, Func<Hop, bool> isInOpen, Action<Join> found)
    {
        foreach (Hop from in hops)
        {
            bool hasLeft = from.Out?.Content == content && isOutOpen(from);
            // Its way out was not seen, but conntrack tells what it went out as.
            bool isTold = from.Out is null && from.In?.Content == content && from.Translated is not null && isOutOpen(from);
            if (!hasLeft && !isTold)
            {
                continue;
            }
            Hop[] next = [.. hops.Where(to => to.In?.Content == content && isInOpen(to) && Fits(from, to))];
            foreach (Hop to in next)
            {
                int alike = Math.Max(next.Length, hops.Count(other => isOutOpen(other) && Fits(other, to)));
                alike = Math.Max(alike, Math.Max(Twins(hops, from, content), Twins(hops, to, content)));
                bool byConntrack = from.Translated == to.In!.Endpoints;
                if (alike > 1)
                {
                    found(new Join(from, to, JoinKind.Ambiguous, alike, $"{alike} packets of this content within the window"));
                }
                else if (byConntrack)
                {
                    found(new Join(from, to, JoinKind.Nat, 1, "conntrack's tuple and content digest"));
                }
                else if (hasLeft && HasCommonEnd(from.Out!.Endpoints, to.In.Endpoints) && IsTelling(to.In))
                {
                    found(new Join(from, to, JoinKind.Content, 1, "content digest and one common end"));
                }
            }
        }

        bool Fits(Hop from, Hop to) => !ReferenceEquals(from, to) && (from.Out?.Content == content
            ? rules.MayFollow(from, to) && (HasCommonEnd(from.Out.Endpoints, to.In!.Endpoints) || from.Translated == to.In.Endpoints)
            : from.Out is null && from.In?.Content == content && from.Translated == to.In!.Endpoints && rules.AreNear(from, to) && !(to.In.Ttl > from.In.Ttl));
    }

    /// <summary>Hops of one TCP connection's direction: the bytes that went out lie in those that came in, or the other way round.</summary>
    public void JoinRanges(IReadOnlyList<Hop> hops, Func<Hop, bool> isOutOpen, Func<Hop, bool> isInOpen, Action<Join> found)
    {
        foreach (Hop from in hops)
        {
            if (from.Out is not { IsTcpData: true } left || !isOutOpen(from))
            {
                continue;
            }
            foreach (Hop to in hops)
            {
                if (to.In is not { IsTcpData: true } came || !isInOpen(to) || came.Endpoints != left.Endpoints || !rules.MayFollow(from, to) || !(Holds(came, left) || Holds(left, came)))
                {
                    continue;
                }
                int before = hops.Count(other => other.Node == from.Node && other.Out is { IsTcpData: true } also && also.Endpoints == left.Endpoints && Overlap(also, left) && rules.AreNear(other, from));
                int after = hops.Count(other => other.Node == to.Node && other.In is { IsTcpData: true } also && also.Endpoints == came.Endpoints && Overlap(also, came) && rules.AreNear(other, to));
                int alike = Math.Max(before, after);
                // A host that is nearer comes first: the bytes are joined from there.
                bool isNearest = !hops.Any(other => other.Node != from.Node && other.Node != to.Node && other.In is { IsTcpData: true } there && there.Endpoints == left.Endpoints && there.Ttl > came.Ttl && there.Ttl <= left.Ttl && Overlap(there, left));
                if (isNearest)
                {
                    found(alike == 1
                        ? new Join(from, to, JoinKind.Exact, 1, "the same bytes of the TCP stream, cut otherwise")
                        : new Join(from, to, JoinKind.Ambiguous, alike, $"{alike} segments hold these bytes (sent again)"));
                }
            }
        }
    }

    /// <summary>Hops of one datagram (addresses, protocol, IP id): it was cut, or put together, between them.</summary>
    public void JoinFragments(IReadOnlyList<Hop> hops, Func<Hop, bool> isOutOpen, Func<Hop, bool> isInOpen, Action<Join> found)
    {
        foreach (Hop from in hops)
        {
            if (from.Out is not { IpId: > 0 } left || !isOutOpen(from))
            {
                continue;
            }
            foreach (Hop to in hops)
            {
                if (to.In is not { IpId: > 0 } came || !isInOpen(to) || (left.FragmentOffset is null) == (came.FragmentOffset is null) || !IsSameDatagram(left, came) || !rules.MayFollow(from, to))
                {
                    continue;
                }
                int before = hops.Count(other => other.Node == from.Node && other.Out is { } also && also.FragmentOffset == left.FragmentOffset && IsSameDatagram(also, left) && rules.AreNear(other, from));
                int after = hops.Count(other => other.Node == to.Node && other.In is { } also && also.FragmentOffset == came.FragmentOffset && IsSameDatagram(also, came) && rules.AreNear(other, to));
                int alike = Math.Max(before, after);
                found(alike == 1
                    ? new Join(from, to, JoinKind.Exact, 1, "IP id of the datagram and its fragments")
                    : new Join(from, to, JoinKind.Ambiguous, alike, $"{alike} datagrams of this IP id within the window"));
            }
        }
    }

    public static bool IsSameDatagram(HopSide a, HopSide b) =>
        a.IpId == b.IpId && a.Endpoints.Protocol == b.Endpoints.Protocol && a.Endpoints.Source == b.Endpoints.Source && a.Endpoints.Destination == b.Endpoints.Destination;

    private int Twins(IReadOnlyList<Hop> hops, Hop one, ulong content) =>
        hops.Count(other => other.Node == one.Node && other.Side?.Content == content && one.Side?.Content == content && other.Side.Ttl == one.Side.Ttl && rules.AreNear(one, other));

    /// <summary>NAT of one kind changes one end.</summary>
    private static bool HasCommonEnd(Endpoints a, Endpoints b) => a.Protocol == b.Protocol
        && ((a.Source == b.Source && a.SourcePort == b.SourcePort) || (a.Destination == b.Destination && a.DestinationPort == b.DestinationPort));

    /// <summary>Enough that two different packets hardly have it in common.</summary>
    private static bool IsTelling(HopSide side) => side.TcpSeq is not null || side.IpId != 0 || side.PayloadLength >= TellingPayloadBytes;

    private static bool Holds(HopSide whole, HopSide part) => unchecked((int)(part.TcpSeq!.Value - whole.TcpSeq!.Value)) is >= 0 and var at && (long)at + part.PayloadLength <= whole.PayloadLength;

    private static bool Overlap(HopSide a, HopSide b) => unchecked((int)(b.TcpSeq!.Value - a.TcpSeq!.Value)) is var at && (at >= 0 ? at < a.PayloadLength : -(long)at < b.PayloadLength);
}
