using NftCluster.Messages;

namespace NftCluster.Cli.Views;

/// <summary>Times, endpoints and counts as a person reads them.</summary>
internal static class Readable
{
    public static string Duration(long ns) => Math.Abs(ns) switch
    {
        < 1_000 => $"{ns} ns",
        < 1_000_000 => $"{ns / 1e3:0.0} µs",
        < 1_000_000_000 => $"{ns / 1e6:0.00} ms",
        _ => $"{ns / 1e9:0.000} s",
    };

    /// <summary>The time of the day to the microsecond out of an RFC 3339 text; anything else as it is.</summary>
    public static string TimeOfDay(string timestamp)
    {
        int t = timestamp.IndexOf('T', StringComparison.Ordinal);
        string time = t < 0 ? timestamp : timestamp[(t + 1)..].TrimEnd('Z');
        return time.Length > 15 ? time[..15] : time;
    }

    public static string Endpoint(string? address, int? port) => (address, port) switch
    {
        (null, _) => "?",
        (_, null) => address,
        _ when address.Contains(':', StringComparison.Ordinal) => $"[{address}]:{port}",
        _ => $"{address}:{port}",
    };

    public static string Flow(string? from, int? fromPort, string? to, int? toPort) =>
        $"{Endpoint(from, fromPort)} → {Endpoint(to, toPort)}";

    public static string Device(PacketSide side) => side.Device ?? $"if{side.Ifindex}";

    public static string Share(long part, long whole) => whole <= 0 ? "" : $"{100.0 * part / whole:0.0} %";

    public static string Plural(long count, string one) => count == 1 ? $"1 {one}" : $"{count:N0} {one}s";
}
