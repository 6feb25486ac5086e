using System.Globalization;

namespace NftCluster.Cli.Views;

/// <summary>A point in time as a user types it: RFC 3339, or a time of the day (UTC) on whichever day the packet was seen.</summary>
internal sealed class TimeBound
{
    private static readonly string[] _timesOfDay = ["H:mm", "H:mm:ss", "H:mm:ss.FFFFFFF"];

    private readonly DateTimeOffset? _instant;
    private readonly TimeSpan _timeOfDay;

    private TimeBound(DateTimeOffset? instant, TimeSpan timeOfDay) => (_instant, _timeOfDay) = (instant, timeOfDay);

    public static TimeBound? Parse(string text)
    {
        if (TimeOnly.TryParseExact(text.TrimEnd('Z'), _timesOfDay, CultureInfo.InvariantCulture, DateTimeStyles.None, out TimeOnly time))
        {
            return new TimeBound(null, time.ToTimeSpan());
        }

        return text.Length >= 10 && text[4] == '-' && TryInstant(text, out DateTimeOffset instant) ? new TimeBound(instant, default) : null;
    }

    /// <summary>Negative where the moment lies before the bound. A moment that is no time is never outside it.</summary>
    public int Compare(string moment)
    {
        if (!TryInstant(moment, out DateTimeOffset at))
        {
            return 0;
        }

        return _instant is { } instant ? at.CompareTo(instant) : at.UtcDateTime.TimeOfDay.CompareTo(_timeOfDay);
    }

    /// <summary>Nine digits of a second are rounded to the seven that .NET keeps.</summary>
    private static bool TryInstant(string text, out DateTimeOffset instant) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out instant);
}
