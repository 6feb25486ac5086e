using System.Globalization;
using System.Text;
using NftCluster.Messages;

namespace NftCluster.Node.Export;

/// <summary>How exports are named: <c>trace_{mode}_{id}_{start}.json</c>, and while being written <c>.trace_…_{start}.{pid}-{n}.partial</c>.</summary>
internal static class ExportNames
{
    public const string PartialPattern = ".trace_*.partial";
    private const string PartialSuffix = ".partial";
    private static int _writers;

    /// <summary>The final name without its extension.</summary>
    public static string Stem(SessionRecord session)
    {
        // To the second only: parsing the whole text would round nine nines of a second up into the next.
        var start = DateTime.ParseExact(session.StartTime.AsSpan(0, "yyyy-MM-ddTHH:mm:ss".Length), "yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture);
        return $"trace_{FileSafe(session.Mode)}_{FileSafe(session.Id)}_{start.ToString("yyyyMMdd_HHmmss", CultureInfo.InvariantCulture)}";
    }

    /// <summary>The n-th choice of a final name: existing files are never overwritten.</summary>
    public static string Final(string stem, int attempt) => attempt == 1 ? $"{stem}.json" : $"{stem}-{attempt}.json";

    /// <summary>The pid lets a later run tell a leftover from a file that is being written; the number keeps two writers of one process apart.</summary>
    public static string Partial(string stem) => $".{stem}.{Environment.ProcessId}-{Interlocked.Increment(ref _writers)}{PartialSuffix}";

    public static bool TryGetWriter(string fileName, out int pid)
    {
        pid = 0;
        if (!fileName.StartsWith(".trace_", StringComparison.Ordinal) || !fileName.EndsWith(PartialSuffix, StringComparison.Ordinal))
        {
            return false;
        }

        ReadOnlySpan<char> rest = fileName.AsSpan(0, fileName.Length - PartialSuffix.Length);
        ReadOnlySpan<char> tag = rest[(rest.LastIndexOf('.') + 1)..];
        int dash = tag.IndexOf('-');
        return dash > 0 && int.TryParse(tag[..dash], NumberStyles.None, CultureInfo.InvariantCulture, out pid);
    }

    private static string FileSafe(string text)
    {
        var safe = new StringBuilder(text.Length);
        foreach (char c in text)
        {
            safe.Append(char.IsAsciiLetterOrDigit(c) || c is '-' or '_' ? c : '-');
        }

        return safe.ToString();
    }
}
