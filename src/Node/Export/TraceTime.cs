using System.Globalization;

namespace NftCluster.Node.Export;

/// <summary>Times as all JSON has them: RFC 3339, UTC, nine digits.</summary>
internal static class TraceTime
{
    private const long NsPerSecond = 1_000_000_000;

    public static string Format(DateTimeOffset time) => Format((time - DateTimeOffset.UnixEpoch).Ticks * 100);

    /// <summary>Nanoseconds since 1970.</summary>
    public static string Format(long unixNs) => string.Create(30, unixNs, static (text, ns) =>
    {
        DateTime second = DateTime.UnixEpoch.AddSeconds(ns / NsPerSecond);
        second.TryFormat(text, out _, "yyyy-MM-ddTHH:mm:ss.", CultureInfo.InvariantCulture);
        (ns % NsPerSecond).TryFormat(text[20..], out _, "D9", CultureInfo.InvariantCulture);
        text[29] = 'Z';
    });
}
