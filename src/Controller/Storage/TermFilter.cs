namespace NftCluster.Controller.Storage;

/// <summary>
/// Which terms a segment may hold, in some 10 bits a term (a Bloom filter: Bloom 1970; positions by double hashing: Kirsch and
/// Mitzenmacher 2006). It never denies a term that is there, and denies 99 in 100 that are not. A term is a hash already: its two
/// halves are the two hash functions.
/// </summary>
internal static class TermFilter
{
    private const int BitsPerTerm = 10;
    private const int Positions = 7;

    public static byte[] Of(IReadOnlyCollection<ulong> terms)
    {
        byte[] bits = new byte[Math.Max(1, ((terms.Count * BitsPerTerm) + 7) / 8)];
        foreach (ulong term in terms)
        {
            (uint at, uint step) = Begin(term);
            for (int i = 0; i < Positions; i++, at += step)
            {
                uint bit = Place(at, bits.Length);
                bits[bit >> 3] |= (byte)(1 << (int)(bit & 7));
            }
        }
        return bits;
    }

    /// <summary>False: no trace of the segment can match. Each part needs one of its terms.</summary>
    public static bool MayMatch(ReadOnlySpan<byte> bits, IReadOnlyList<QueryPart> parts)
    {
        foreach (QueryPart part in parts)
        {
            bool any = false;
            foreach (ulong term in part.Terms)
            {
                any |= MayHold(bits, term);
            }
            if (!any)
            {
                return false;
            }
        }
        return true;
    }

    private static bool MayHold(ReadOnlySpan<byte> bits, ulong term)
    {
        (uint at, uint step) = Begin(term);
        for (int i = 0; i < Positions; i++, at += step)
        {
            uint bit = Place(at, bits.Length);
            if ((bits[(int)(bit >> 3)] & (1 << (int)(bit & 7))) == 0)
            {
                return false;
            }
        }
        return true;
    }

    private static (uint At, uint Step) Begin(ulong term) => ((uint)term, (uint)(term >> 32) | 1);

    /// <summary>The hash's share of the range, without a division.</summary>
    private static uint Place(uint hash, int bytes) => (uint)(((ulong)hash * ((ulong)bytes * 8)) >> 32);
}
