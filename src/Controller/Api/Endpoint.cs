using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace NftCluster.Controller.Api;

/// <summary>What endpoints have in common: the role they need, their parameters, pages, and ETags.</summary>
internal static class Endpoint
{
    public const int DefaultPage = 100;
    public const int MostPerPage = 1_000;

    /// <summary>At least this role, or <see cref="Auth.AuthSetup.SignedIn"/>; the query parameters that it knows.</summary>
    public static RouteHandlerBuilder For(this RouteHandlerBuilder endpoint, string policy, params string[] query) =>
        endpoint.RequireAuthorization(policy).WithMetadata(new KnownQuery(query)).ProducesProblem(400).ProducesProblem(401).ProducesProblem(403);

    public static RouteHandlerBuilder ForAnybody(this RouteHandlerBuilder endpoint) => endpoint.AllowAnonymous().WithMetadata(new KnownQuery([])).ProducesProblem(400);

    /// <summary>A page's size; null with the problem where it is none.</summary>
    public static int? Limit(HttpContext context, out IResult? problem)
    {
        problem = null;
        string? text = context.Request.Query["limit"];
        if (text is null)
        {
            return DefaultPage;
        }
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int limit) && limit is >= 1 and <= MostPerPage)
        {
            return limit;
        }
        problem = ApiProblem.Invalid("limit", $"a number from 1 to {MostPerPage} is needed");
        return null;
    }

    /// <summary>The value with its ETag, or 304 where the caller has it already.</summary>
    public static IResult Tagged<T>(HttpContext context, T value)
    {
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(value, ApiJson.Options);
        string tag = $"\"{Convert.ToHexStringLower(SHA256.HashData(body).AsSpan(0, 12))}\"";
        context.Response.Headers.ETag = tag;
        context.Response.Headers.CacheControl = "no-cache"; // ask each time, but the answer may be "as before"
        return context.Request.Headers.IfNoneMatch.Any(had => had is not null && (had == "*" || had.Contains(tag, StringComparison.Ordinal)))
            ? Results.StatusCode(StatusCodes.Status304NotModified)
            : Results.Bytes(body, "application/json");
    }
}
