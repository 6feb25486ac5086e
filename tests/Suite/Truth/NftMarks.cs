using NftCluster.Node.Kernel;
using NftCluster.Node.Nftables;

namespace NftCluster.Tests.Truth;

/// <summary>Tables that mark the packets of a namespace for nft's monitor, as the product makes them where no function can be probed.</summary>
internal sealed class NftMarks : IDisposable
{
    private readonly NftContext _context;

    private NftMarks(NftContext context) => _context = context;

    public static NftMarks Make(string netns) => NetworkNamespace.Run($"/run/netns/{netns}", () =>
    {
        NftMarks marks = new(NftContext.Open());
        TracingTables tables = new("marks");
        using var reader = new RulesetReader();
        // One transaction: a slow machine reads no ruleset that the next one follows at once.
        IEnumerable<TracingTable> wanted = tables.MissingIn(reader.Read(RuleTexts.Stateless)).Prepend(tables.Inet(TraceMarks.Everything));
        NftResult made = marks._context.Run(string.Concat(wanted.Select(table => table.Commands)));
        Assert.True(made.Ok, made.Errors);
        return marks;
    });

    public void Dispose() => _context.Dispose();
}
