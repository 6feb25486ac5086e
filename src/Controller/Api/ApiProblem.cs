using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using NftCluster.Controller.Sessions;
using NftCluster.Controller.Storage;

namespace NftCluster.Controller.Api;

/// <summary>Every refusal is problem+json (RFC 9457): <c>status</c>, <c>title</c>, <c>detail</c>, and in <c>field</c> the part of the request that is wrong.</summary>
internal static partial class ApiProblem
{
    public const string ContentType = "application/problem+json";

    public static IResult Invalid(string field, string detail) => Of(StatusCodes.Status400BadRequest, detail, field);

    public static IResult NotFound(string detail) => Of(StatusCodes.Status404NotFound, detail);

    public static IResult Conflict(string detail, string? field = null) => Of(StatusCodes.Status409Conflict, detail, field);

    public static IResult Forbidden(string detail) => Of(StatusCodes.Status403Forbidden, detail);

    public static IResult Unauthorized(string detail) => Of(StatusCodes.Status401Unauthorized, detail);

    public static IResult Of(CommandError error) => Of(error.Code switch
    {
        CommandError.NotFound => StatusCodes.Status404NotFound,
        CommandError.Conflict => StatusCodes.Status409Conflict,
        CommandError.Forbidden => StatusCodes.Status403Forbidden,
        CommandError.Unavailable => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status400BadRequest,
    }, error.Text, error.Field);

    public static IResult Of(int status, string detail, string? field = null) =>
        Results.Problem(detail, statusCode: status, title: Title(status), extensions: field is null ? null : new Dictionary<string, object?>(StringComparer.Ordinal) { ["field"] = field });

    /// <summary>What a handler threw; null for a bug.</summary>
    public static IResult? Of(Exception failure) => failure switch
    {
        BadHttpRequestException { InnerException: JsonException json } => Of(StatusCodes.Status400BadRequest, Said(json), FieldOf(json)),
        BadHttpRequestException bad => Of(bad.StatusCode, Plain(bad.Message), Parameter().Match(bad.Message) is { Success: true } found ? found.Groups["name"].Value : null),
        StorageException storage => Of(StatusCodes.Status503ServiceUnavailable, storage.Message),
        TimeoutException => Of(StatusCodes.Status503ServiceUnavailable, "the controller is too busy to answer: try again"),
        _ => null,
    };

    /// <summary>An answer that something else refused without a word (routing, authorization, limits).</summary>
    public static Task WriteAsync(HttpContext context)
    {
        int status = context.Response.StatusCode;
        string detail = status switch
        {
            StatusCodes.Status401Unauthorized => "log in first: POST /api/auth/login",
            StatusCodes.Status403Forbidden => context.User.HasClaim(claim => claim.Type == Auth.Caller.FirstLoginClaim) ? "choose a password of your own first: POST /api/auth/password" : "this needs another role",
            StatusCodes.Status404NotFound => "there is nothing at this address",
            StatusCodes.Status405MethodNotAllowed => "this address does not know the method",
            StatusCodes.Status415UnsupportedMediaType => "the body is to be application/json",
            StatusCodes.Status429TooManyRequests => "too many tries from this address: wait a minute",
            _ => Title(status),
        };
        return Of(status, detail).ExecuteAsync(context);
    }

    private static string Title(int status) => Microsoft.AspNetCore.WebUtilities.ReasonPhrases.GetReasonPhrase(status);

    private static string? FieldOf(JsonException json) =>
        Unknown().Match(json.Message) is { Success: true } unknown ? unknown.Groups["name"].Value
        : Missing().Match(json.Message) is { Success: true } missing ? missing.Groups["name"].Value
        : json.Path is { Length: > 2 } path ? path[2..] : null;

    private static string Said(JsonException json) =>
        Unknown().IsMatch(json.Message) ? "there is no such field"
        : Missing().IsMatch(json.Message) ? "this field is needed"
        : json.Path is { Length: > 2 } ? "this field cannot have that value"
        : "the body is not the JSON that is asked for";

    private static string Plain(string message) => message.Split('\n')[0].TrimEnd('.', '\r');

    [GeneratedRegex("The JSON property '(?<name>[^']*)' could not be mapped", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Unknown();

    [GeneratedRegex("was missing required properties including: '(?<name>[^']*)'", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Missing();

    [GeneratedRegex("parameter \"[^\"]* (?<name>[A-Za-z_]+)\"", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Parameter();
}
