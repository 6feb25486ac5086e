using System.Globalization;
using System.Text.Json;

namespace NftCluster.Cli.Client;

/// <summary>A column: its head, where its value lies in an answer ("load.cpu_percent"), and whether only the wide form has it.</summary>
internal sealed record ApiColumn(string Head, string Path, bool IsWide = false);

/// <summary>What the API answered, as a table, or as the JSON that it is.</summary>
internal static class ApiTable
{
    private const string Between = "  ";

    public static void Write(TextWriter output, string format, JsonElement answer, IEnumerable<JsonElement> rows, params ApiColumn[] columns)
    {
        if (format == ClientOptions.Json)
        {
            output.WriteLine(JsonSerializer.Serialize(answer, ClientOptions.Readable));
            return;
        }
        ApiColumn[] shown = [.. columns.Where(column => format == ClientOptions.Wide || !column.IsWide)];
        string[][] cells = [[.. shown.Select(column => column.Head)], .. rows.Select(row => shown.Select(column => TextAt(row, column.Path)).ToArray())];
        int[] widths = [.. shown.Select((_, i) => cells.Max(row => row[i].Length))];
        foreach (string[] row in cells)
        {
            output.WriteLine(string.Join(Between, row.Select((cell, i) => cell.PadRight(widths[i]))).TrimEnd());
        }
    }

    /// <summary>What stands there, made safe for a terminal; "-" where nothing does.</summary>
    public static string TextAt(JsonElement element, string path)
    {
        foreach (string name in path.Split('.'))
        {
            if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(name, out element))
            {
                return "-";
            }
        }
        return Text(element);
    }

    private static string Text(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => Text(element.GetString()!),
        JsonValueKind.Number => element.TryGetInt64(out long whole) ? whole.ToString(CultureInfo.InvariantCulture) : element.GetDouble().ToString("0.##", CultureInfo.InvariantCulture),
        JsonValueKind.True => "yes",
        JsonValueKind.False => "no",
        JsonValueKind.Array => $"{element.GetArrayLength()}",
        JsonValueKind.Object => string.Join(',', element.EnumerateObject().Select(property => $"{Text(property.Name)}={Text(property.Value)}")),
        _ => "-",
    };

    private static string Text(string text) => text.Length == 0 ? "-"
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out DateTimeOffset time) && text.Length >= 19 && text[10] == 'T' ? time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture)
        : string.Concat(text.Select(letter => char.IsControl(letter) ? '?' : letter));
}
