using System.Runtime.CompilerServices;
using System.Text.Json;

namespace NftCluster.Cli.Client;

/// <summary>Lists of the API: an object with its rows in one array, and in <c>next</c> the cursor of the page behind.</summary>
internal static class ApiPages
{
    public static IEnumerable<JsonElement> RowsOf(JsonElement answer) =>
        answer.ValueKind == JsonValueKind.Array ? answer.EnumerateArray()
        : answer.ValueKind == JsonValueKind.Object ? answer.EnumerateObject().FirstOrDefault(property => property.Value.ValueKind == JsonValueKind.Array).Value is { ValueKind: JsonValueKind.Array } rows ? rows.EnumerateArray() : []
        : [];

    public static string? NextOf(JsonElement answer) =>
        answer.ValueKind == JsonValueKind.Object && answer.TryGetProperty("next", out JsonElement next) && next.ValueKind == JsonValueKind.String ? next.GetString() : null;

    /// <summary>All pages, one after the other, while somebody reads.</summary>
    public static async IAsyncEnumerable<JsonElement> AllAsync(ControllerClient client, string path, [EnumeratorCancellation] CancellationToken cancellation)
    {
        string? next = null;
        do
        {
            JsonElement page = await client.GetAsync(next is null ? path : $"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}cursor={Uri.EscapeDataString(next)}", cancellation);
            foreach (JsonElement row in RowsOf(page))
            {
                yield return row;
            }
            next = NextOf(page);
        }
        while (next is not null);
    }
}
