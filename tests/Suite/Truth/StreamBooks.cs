using System.Globalization;

namespace NftCluster.Tests.Truth;

/// <summary>The TCP bytes at each place of a host, per connection and direction: captures and traces must cover the same, as often.</summary>
internal static class StreamBooks
{
    public static void AssertEqual(HostObservation host)
    {
        Dictionary<string, ByteRanges> captured = Book(host.Captured);
        Dictionary<string, ByteRanges> traced = Book(host.Traces.SelectMany(trace => new[]
        {
            trace.In is { } i ? ($"{i.Device} in", Packet.Of(i)) : default,
            trace is { Out: { } o, FinalVerdict: "forwarded" } ? ($"{o.Device} out", Packet.Of(o)) : default,
        }).Where(side => side.Item2 is not null));
        string[] wrong =
        [
            .. captured.Keys.Union(traced.Keys, StringComparer.Ordinal)
                .Select(stream => (stream, Said: captured.GetValueOrDefault(stream) ?? new(), Seen: traced.GetValueOrDefault(stream) ?? new()))
                .Where(pair => !pair.Said.Covered().SequenceEqual(pair.Seen.Covered()))
                .Select(pair => $"{host.Host} {pair.stream}: captured {pair.Said.Words()}, traced {pair.Seen.Words()}"),
        ];
        Assert.True(wrong.Length == 0, string.Join('\n', wrong.Take(6)));
        Assert.NotEmpty(captured);
    }

    private static Dictionary<string, ByteRanges> Book(IEnumerable<(string Place, Packet Packet)> packets)
    {
        Dictionary<string, ByteRanges> book = new(StringComparer.Ordinal);
        foreach ((string place, Packet packet) in packets)
        {
            if (packet is { Seq: { } seq, Payload: { } payload and > 0 })
            {
                string stream = string.Create(CultureInfo.InvariantCulture, $"{place} {packet.Source}.{packet.SourcePort} > {packet.Destination}.{packet.DestinationPort}");
                if (!book.TryGetValue(stream, out ByteRanges? ranges))
                {
                    book[stream] = ranges = new ByteRanges();
                }
                ranges.Add(seq, payload);
            }
        }
        return book;
    }
}
