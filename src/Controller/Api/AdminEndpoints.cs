using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using NftCluster.Controller.Auth;
using NftCluster.Controller.Cluster;
using NftCluster.Controller.Sessions;

namespace NftCluster.Controller.Api;

internal sealed record JoinTokenRequest(long TtlSeconds = 3600, int Uses = 1);

/// <summary>0 or null days = for good.</summary>
internal sealed record ServiceTokenRequest(string Name, string Role = Roles.Viewer, int? Days = null);

internal sealed record ServiceTokenList(IReadOnlyList<ServiceToken> ServiceTokens, string? Next);

/// <summary>The only time that the secret is shown.</summary>
internal sealed record ServiceTokenMade(ServiceToken ServiceToken, string Secret);

internal sealed record AuditList(IReadOnlyList<AuditEntry> Entries, string? Next);

/// <summary>Join tokens, service tokens, the audit log: for admins.</summary>
internal static class AdminEndpoints
{
    private const int MostDays = 3_650;

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapPost("/join-tokens", (JoinTokenRequest request, ApiPlace place, HttpContext context) =>
            request.TtlSeconds is < 1 or > 30 * 86_400 ? Task.FromResult(ApiProblem.Invalid("ttl_seconds", "1 second to 30 days"))
            : place.AnswerAsync<JoinTokenView>(reply => new CreateJoinToken(TimeSpan.FromSeconds(request.TtlSeconds), request.Uses, Caller.NameOf(context.User), reply), context.RequestAborted)).For(Roles.Admin).Produces<JoinTokenView>();
        api.MapGet("/service-tokens", (ServiceTokens tokens) => Results.Ok(new ServiceTokenList(tokens.All(), null))).For(Roles.Admin).Produces<ServiceTokenList>();
        api.MapPost("/service-tokens", MakeToken).For(Roles.Admin).Produces<ServiceTokenMade>(StatusCodes.Status201Created).ProducesProblem(409);
        api.MapDelete("/service-tokens/{id}", (string id, ServiceTokens tokens) => tokens.Remove(id) ? Results.NoContent() : ApiProblem.NotFound("there is no such service token")).For(Roles.Admin).Produces(StatusCodes.Status204NoContent).ProducesProblem(404);
        api.MapGet("/audit", ReadAudit).For(Roles.Admin, "limit", "cursor").Produces<AuditList>();
    }

    private static IResult MakeToken(ServiceTokenRequest request, ServiceTokens tokens, HttpContext context) =>
        request.Name.Length is 0 or > 64 || request.Name.Any(char.IsControl) ? ApiProblem.Invalid("name", "1 to 64 characters, none of them a control character")
        : !Roles.Exists(request.Role) ? ApiProblem.Invalid("role", $"one of {string.Join(", ", Roles.All)} is needed")
        : request.Days is < 0 or > MostDays ? ApiProblem.Invalid("days", $"0 (for good) to {MostDays}")
        : tokens.Add(request.Name, request.Role, Caller.NameOf(context.User), request.Days is > 0 and { } days ? TimeSpan.FromDays(days) : null) is { } made ? Results.Created($"/api/service-tokens/{made.Token.Id}", new ServiceTokenMade(made.Token, made.Secret))
        : ApiProblem.Conflict("there is a service token of that name", "name");

    private static IResult ReadAudit(AuditLog log, HttpContext context)
    {
        if (Endpoint.Limit(context, out IResult? problem) is not { } limit)
        {
            return problem!;
        }
        long before = 0;
        if (context.Request.Query["cursor"].ToString() is { Length: > 0 } cursor && !(long.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out before) && before > 0))
        {
            return ApiProblem.Invalid("cursor", "this is no cursor of this list: begin anew");
        }
        IReadOnlyList<AuditEntry> entries = log.Read(before, limit);
        return Results.Ok(new AuditList(entries, entries.Count == limit ? entries[^1].Id.ToString(CultureInfo.InvariantCulture) : null));
    }
}
