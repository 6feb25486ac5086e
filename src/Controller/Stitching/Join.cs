namespace NftCluster.Controller.Stitching;

/// <summary>How sure a join is.</summary>
internal enum JoinKind
{
    /// <summary>The same wire digest (or the same bytes of a TCP stream, or fragments of one datagram), and nobody else's on either side.</summary>
    Exact,

    /// <summary>The tuple that the first host's conntrack makes of it, with the same content, and nobody else's on either side.</summary>
    Nat,

    /// <summary>The same content and one common end, and nobody else's on either side: an unseen host translated the other end.</summary>
    Content,

    /// <summary>One of several that look alike: shown, never followed.</summary>
    Ambiguous,
}

/// <summary><paramref name="From"/> went out, <paramref name="To"/> came in. <paramref name="Candidates"/> is 1 but for ambiguous joins.</summary>
internal sealed record Join(Hop From, Hop To, JoinKind Kind, int Candidates, string Evidence)
{
    /// <summary>Routers between the two that nobody watches, by the TTL; null where there is none to tell.</summary>
    public int? UnseenRouters => From.Out?.Ttl is { } left && To.In?.Ttl is { } came ? left - came : null;

    public string Name => Kind switch
    {
        JoinKind.Exact => "exact",
        JoinKind.Nat => "nat",
        JoinKind.Content => "content",
        _ => FormattableString.Invariant($"ambiguous({Candidates})"),
    };
}
