using System.Runtime.InteropServices;
using NftCluster.Messages;

namespace NftCluster.Cli.Views;

/// <summary>Counts over the traces that passed a display filter.</summary>
internal sealed class TraceTally
{
    private readonly Dictionary<string, long> _verdicts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _dropReasons = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _functions = new(StringComparer.Ordinal);

    public long Traces { get; private set; }
    public long Events { get; private set; }
    public IReadOnlyDictionary<string, long> Verdicts => _verdicts;
    public IReadOnlyDictionary<string, long> DropReasons => _dropReasons;
    public IReadOnlyDictionary<string, long> Functions => _functions;

    public void Add(TraceRecord trace)
    {
        Traces++;
        Events += trace.Events.Count;
        Count(_verdicts, trace.FinalVerdict);
        if (trace.DropReason is not null)
        {
            Count(_dropReasons, trace.DropReason);
        }

        foreach (EventRecord e in trace.Events)
        {
            Count(_functions, e.FuncName);
        }
    }

    private static void Count(Dictionary<string, long> counts, string name) =>
        CollectionsMarshal.GetValueRefOrAddDefault(counts, name, out _)++;
}
