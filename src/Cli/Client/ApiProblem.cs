using System.Net;
using System.Text.Json;

namespace NftCluster.Cli.Client;

/// <summary>A refusal of the API (problem+json, RFC 9457) as one line.</summary>
internal static class ApiProblem
{
    public static async Task<UsageException> ReadAsync(HttpResponseMessage response, string url, CancellationToken cancellation)
    {
        string text = await response.Content.ReadAsStringAsync(cancellation);
        return new UsageException(Line(response.StatusCode, text, url));
    }

    internal static string Line(HttpStatusCode status, string body, string url)
    {
        (string? title, string? detail, string? field) = Parts(body);
        string said = detail ?? title ?? $"the controller answers {(int)status}";
        string where = field is null ? "" : $"{field}: ";
        return status == HttpStatusCode.Unauthorized ? $"{where}{said}: nftcluster login {url}" : $"{where}{said}";
    }

    private static (string? Title, string? Detail, string? Field) Parts(string body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            JsonElement root = document.RootElement;
            return root.ValueKind == JsonValueKind.Object ? (Text(root, "title"), Text(root, "detail"), Text(root, "field")) : default;
        }
        catch (JsonException)
        {
            return default;
        }
    }

    private static string? Text(JsonElement root, string name) => root.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
