using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace NftCluster.Messages;

/// <summary>Times as all JSON has them: RFC 3339, UTC, nine digits.</summary>
public static class TraceTime
{
    private const long NsPerSecond = 1_000_000_000;
    private const int Length = 30;

    public static string Format(DateTimeOffset time) => Format(UnixNs(time));

    /// <summary>Nanoseconds since 1970.</summary>
    public static string Format(long unixNs) => string.Create(Length, unixNs, static (text, ns) =>
    {
        DateTime second = DateTime.UnixEpoch.AddSeconds(ns / NsPerSecond);
        second.TryFormat(text, out _, "yyyy-MM-ddTHH:mm:ss.", CultureInfo.InvariantCulture);
        (ns % NsPerSecond).TryFormat(text[20..], out _, "D9", CultureInfo.InvariantCulture);
        text[29] = 'Z';
    });

    /// <summary>To 100 ns.</summary>
    public static DateTimeOffset FromUnixNs(long unixNs) => DateTimeOffset.UnixEpoch.AddTicks(unixNs / 100);

    public static long UnixNs(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks * 100;

    /// <summary>Only what <see cref="Format(long)"/> makes; by hand, because the framework's parser ends at 100 ns.</summary>
    [SuppressMessage("Style", "IDE0046", Justification = "One condition a line reads better here.")]
    public static bool TryParse(ReadOnlySpan<char> text, out long unixNs)
    {
        unixNs = 0;
        if (text.Length != Length || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':' || text[19] != '.' || text[29] != 'Z')
        {
            return false;
        }
        if (!Number(text[..4], out int year) || !Number(text[5..7], out int month) || !Number(text[8..10], out int day)
            || !Number(text[11..13], out int hour) || !Number(text[14..16], out int minute) || !Number(text[17..19], out int second) || !Number(text[20..29], out int ns))
        {
            return false;
        }
        if (year is < 1970 or > 2261 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month) || hour > 23 || minute > 59 || second > 59)
        {
            return false;
        }
        DateTime at = new(year, month, day, hour, minute, second, DateTimeKind.Utc);
        unixNs = (at - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerSecond * NsPerSecond + ns;
        return true;
    }

    private static bool Number(ReadOnlySpan<char> digits, out int number)
    {
        number = 0;
        foreach (char digit in digits)
        {
            if (!char.IsAsciiDigit(digit))
            {
                return false;
            }
            number = number * 10 + (digit - '0');
        }
        return true;
    }
}
