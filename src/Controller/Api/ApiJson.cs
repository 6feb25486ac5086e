using System.Text.Json;
using System.Text.Json.Serialization;

namespace NftCluster.Controller.Api;

/// <summary>JSON of the API: snake_case; what nobody knows is refused, so that a spelling mistake is not a setting that was left out.</summary>
internal static class ApiJson
{
    private const int Deepest = 16;

    public static JsonSerializerOptions Options { get; } = Configure(new JsonSerializerOptions(JsonSerializerDefaults.Web));

    public static JsonSerializerOptions Configure(JsonSerializerOptions options)
    {
        options.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
        options.PropertyNameCaseInsensitive = false;
        options.NumberHandling = JsonNumberHandling.Strict;
        options.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
        options.RespectNullableAnnotations = true;
        options.RespectRequiredConstructorParameters = true;
        options.MaxDepth = Deepest;
        return options;
    }
}
