using System.Net;
using System.Text.Json;

namespace NftCluster.Tests.Controller.Api;

/// <summary>Whatever is asked of the addresses in the OpenAPI document: an answer or a problem, never an error of the controller's own.</summary>
public sealed class FuzzTests
{
    private const int Requests = 1_500;
    private const int Seed = 20260131;

    private static readonly string[] _texts = ["", "admin", "x", "0", "-1", "1e309", "../../etc", "' OR 1=1 --", "\u0000", "é\u202e", "none", "true", "10.0.0.1", "99999999999999999999", "NFR1.x", "a~1~2~3", "5.3"];

    [Fact]
    public async Task No_request_is_answered_with_500()
    {
        await using ApiRig rig = await ApiRig.StartAsync();
        string id = ApiRig.Text(await ApiRig.JsonAsync(await rig.SendAsync(HttpMethod.Post, "/api/sessions", rig.AdminToken, new { name = "fuzzed" })), "id");
        JsonElement document = await ApiRig.JsonAsync(await rig.GetAsync("/api/openapi.json"));
        (string Path, string Method, JsonElement Operation)[] operations = [.. document.GetProperty("paths").EnumerateObject().SelectMany(path => path.Value.EnumerateObject().Select(method => (path.Name, method.Name, method.Value)))];
        JsonElement schemas = document.GetProperty("components").GetProperty("schemas");
        Random random = new(Seed);
        Dictionary<HttpStatusCode, int> answers = [];

        for (int i = 0; i < Requests; i++)
        {
            (string path, string method, JsonElement operation) = operations[random.Next(operations.Length)];
            if (path.StartsWith("/api/auth", StringComparison.Ordinal) && random.Next(4) > 0)
            {
                continue; // PBKDF2 takes its time
            }
            string address = path.Replace("{id}", random.Next(2) == 0 ? id : Escaped(random), StringComparison.Ordinal).Replace("{trace}", Escaped(random), StringComparison.Ordinal) + Query(operation, random);
            string? body = method is "post" or "patch" ? Body(operation, schemas, random) : null;
            using HttpResponseMessage response = await rig.SendAsync(new HttpMethod(method.ToUpperInvariant()), address, rig.AdminToken, body);
            string text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            Assert.True((int)response.StatusCode is < 500 or 503, $"{method} {address} {body}: {(int)response.StatusCode} {text}");
            answers[response.StatusCode] = answers.GetValueOrDefault(response.StatusCode) + 1;
        }

        Assert.True(answers.GetValueOrDefault(HttpStatusCode.OK) > 0 && answers.GetValueOrDefault(HttpStatusCode.BadRequest) > 0, string.Join(", ", answers));
    }

    private static string Escaped(Random random) => Uri.EscapeDataString(_texts[random.Next(1, _texts.Length)]);

    private static string Query(JsonElement operation, Random random)
    {
        if (!operation.TryGetProperty("parameters", out JsonElement parameters))
        {
            return random.Next(10) == 0 ? "?unknown=1" : "";
        }
        IEnumerable<string> names = parameters.EnumerateArray().Where(parameter => parameter.GetProperty("in").GetString() == "query").Select(parameter => parameter.GetProperty("name").GetString()!);
        string[] given = [.. names.Where(_ => random.Next(6) == 0).Select(name => $"{name}={Uri.EscapeDataString(_texts[random.Next(_texts.Length)])}")];
        return given.Length == 0 ? "" : $"?{string.Join('&', given)}";
    }

    private static string? Body(JsonElement operation, JsonElement schemas, Random random)
    {
        if (random.Next(12) == 0)
        {
            return new[] { "", "{", "null", "[]", "1", "\"x\"", new string('[', 200), "{\"a\":{}}" }[random.Next(8)];
        }
        if (!operation.TryGetProperty("requestBody", out JsonElement request))
        {
            return null;
        }
        string reference = request.GetProperty("content").GetProperty("application/json").GetProperty("schema").GetProperty("$ref").GetString()!.Split('/')[^1];
        Dictionary<string, object?> body = new(StringComparer.Ordinal);
        foreach (JsonProperty property in schemas.GetProperty(reference).GetProperty("properties").EnumerateObject().Where(_ => random.Next(4) > 0))
        {
            body[property.Name] = Value(random, depth: 0);
        }
        return JsonSerializer.Serialize(body);
    }

    private static object? Value(Random random, int depth) => random.Next(depth > 2 ? 6 : 9) switch
    {
        0 => null,
        1 => random.Next(-5, 100),
        2 => random.Next(2) == 0,
        3 => double.MaxValue,
        6 => new[] { Value(random, depth + 1), Value(random, depth + 1) },
        7 => new Dictionary<string, object?>(StringComparer.Ordinal) { ["names"] = Value(random, depth + 1), ["packets"] = Value(random, depth + 1) },
        8 => new Dictionary<string, object?>(StringComparer.Ordinal),
        _ => _texts[random.Next(_texts.Length)],
    };
}
