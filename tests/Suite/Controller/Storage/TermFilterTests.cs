using FsCheck;
using FsCheck.Fluent;
using NftCluster.Controller.Storage;

namespace NftCluster.Tests.Controller.Storage;

public sealed class TermFilterTests
{
    private static bool MayHold(byte[] filter, ulong term) => TermFilter.MayMatch(filter, [new QueryPart(TraceField.Host, [term])]);

    [Fact]
    public void What_is_there_is_never_denied() => Prop.ForAll<ulong[]>(terms =>
    {
        byte[] filter = TermFilter.Of(terms);
        return terms.All(term => MayHold(filter, term));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void What_is_not_there_is_nearly_always_denied()
    {
        Random random = new(1);
        ulong[] terms = [.. Enumerable.Range(0, 5_000).Select(_ => (ulong)random.NextInt64(long.MinValue, long.MaxValue))];
        byte[] filter = TermFilter.Of(terms);

        int wrong = Enumerable.Range(0, 10_000).Count(_ => MayHold(filter, (ulong)random.NextInt64(long.MinValue, long.MaxValue)));

        Assert.InRange(wrong, 0, 200);
    }

    [Fact]
    public void Every_part_needs_one_of_its_terms()
    {
        (ulong one, ulong two, ulong other) = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9);
        byte[] filter = TermFilter.Of([one, two]);

        Assert.True(TermFilter.MayMatch(filter, [new QueryPart(TraceField.Host, [other, one]), new QueryPart(TraceField.Port, [two])]));
        Assert.False(TermFilter.MayMatch(filter, [new QueryPart(TraceField.Host, [one]), new QueryPart(TraceField.Port, [other])]));
        Assert.True(TermFilter.MayMatch(TermFilter.Of([]), []));
    }
}
