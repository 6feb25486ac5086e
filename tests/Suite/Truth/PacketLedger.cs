using System.Globalization;
using System.Text;

namespace NftCluster.Tests.Truth;

/// <summary>
/// Holds the traces of one namespace against what tcpdump captured on its devices: two books that must agree entry by entry.
/// A place is a device and a direction ("eth0 in").
/// </summary>
internal sealed class PacketLedger(string owner)
{
    private const int ShownOfEach = 4;

    private readonly Dictionary<Entry, int> _captured = [];
    private readonly Dictionary<Entry, int> _traced = [];
    private readonly List<string> _merged = [];
    private readonly List<string> _wrong = [];

    public int CapturedCount => _captured.Values.Sum();

    public int TracedCount => _traced.Values.Sum();

    public void Capture(string place, Packet packet) => Count(_captured, new Entry(place, packet));

    /// <summary>One trace: where it came in, where it left, and whether both can be the same packet.</summary>
    public void Trace(string key, (string Place, Packet Packet)? came, (string Place, Packet Packet)? left, int hops = 1, bool nat = false)
    {
        if (came is null && left is null)
        {
            _wrong.Add($"trace {key} has neither side");
        }
        if (came is { } i)
        {
            Count(_traced, new Entry(i.Place, i.Packet));
        }
        if (left is { } o)
        {
            Count(_traced, new Entry(o.Place, o.Packet));
        }
        if (came is { } a && left is { } b && a.Packet.Onward(hops, !nat) != b.Packet.Onward(0, !nat))
        {
            _merged.Add($"trace {key}: {a.Place}: {a.Packet} / {b.Place}: {b.Packet}");
        }
    }

    /// <summary>Something else about a trace that must not be.</summary>
    public void Fault(string fault) => _wrong.Add(fault);

    /// <summary>Null when both books agree; else the first few differences of each kind.</summary>
    public string? Differences()
    {
        List<string> missing = [];
        List<string> twice = [];
        List<string> extra = [];
        foreach (Entry entry in _captured.Keys.Union(_traced.Keys))
        {
            int captured = _captured.GetValueOrDefault(entry);
            int traced = _traced.GetValueOrDefault(entry);
            if (traced < captured)
            {
                missing.AddRange(Enumerable.Repeat(entry.ToString(), captured - traced));
            }
            else if (traced > captured)
            {
                (captured == 0 ? extra : twice).AddRange(Enumerable.Repeat(entry.ToString(), traced - captured));
            }
        }
        var text = new StringBuilder();
        Append(text, "missing: captured, no trace", missing);
        Append(text, "twice: more traces than captured", twice);
        Append(text, "extra: traced, never captured", extra);
        Append(text, "merged: in and out are different packets", _merged);
        Append(text, "wrong", _wrong);
        return text.Length == 0 ? null : string.Create(CultureInfo.InvariantCulture, $"{owner}: {CapturedCount} captured, {TracedCount} traced\n{text}");
    }

    private static void Append(StringBuilder text, string title, List<string> lines)
    {
        if (lines.Count == 0)
        {
            return;
        }
        text.Append(CultureInfo.InvariantCulture, $"  {title} ({lines.Count})\n");
        foreach (string line in lines.Take(ShownOfEach))
        {
            text.Append("    ").Append(line).Append('\n');
        }
    }

    private static void Count(Dictionary<Entry, int> book, Entry entry) => book[entry] = book.GetValueOrDefault(entry) + 1;

    private sealed record Entry(string Place, Packet Packet)
    {
        public override string ToString() => $"{Place}: {Packet}";
    }
}
