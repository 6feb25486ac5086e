using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using NftCluster.Actors;
using NftCluster.Controller.Auth;
using NftCluster.Controller.Sessions;
using NftCluster.Controller.Storage;

namespace NftCluster.Controller.Api;

internal sealed record SessionList(IReadOnlyList<ClusterSessionView> Sessions, string? Next);

/// <summary><c>/api/sessions</c>. Who may run sessions changes its own; an admin everybody's.</summary>
internal static class SessionEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/sessions", ListAsync).For(Roles.Viewer, "limit", "cursor").Produces<SessionList>();
        api.MapPost("/sessions", StartAsync).For(Roles.Operator).Produces<ClusterSessionView>(StatusCodes.Status201Created).ProducesProblem(409);
        api.MapGet("/sessions/{id}", ReadAsync).For(Roles.Viewer).Produces<ClusterSessionView>().ProducesProblem(404);
        api.MapPatch("/sessions/{id}", (string id, SessionPatch patch, ApiPlace place, HttpContext context) => ChangeAsync(id, place, context, reply => new ChangeSession(id, patch, reply))).For(Roles.Operator).Produces<ClusterSessionView>().ProducesProblem(404);
        api.MapPost("/sessions/{id}/pause", (string id, ApiPlace place, HttpContext context) => ChangeAsync(id, place, context, reply => new PauseSession(id, reply))).For(Roles.Operator).Produces<ClusterSessionView>().ProducesProblem(404);
        api.MapPost("/sessions/{id}/resume", (string id, ApiPlace place, HttpContext context) => ChangeAsync(id, place, context, reply => new ResumeSession(id, reply))).For(Roles.Operator).Produces<ClusterSessionView>().ProducesProblem(404);
        api.MapPost("/sessions/{id}/stop", (string id, ApiPlace place, HttpContext context) => ChangeAsync(id, place, context, reply => new StopSession(id, Caller.NameOf(context.User), reply))).For(Roles.Operator).Produces<ClusterSessionView>().ProducesProblem(404);
        api.MapDelete("/sessions/{id}", EndAsync).For(Roles.Operator, "purge").Produces(StatusCodes.Status200OK).ProducesProblem(404).ProducesProblem(409);
        api.MapGet("/sessions/{id}/stats", StatisticsAsync).For(Roles.Viewer).Produces<Messages.StatisticsRecord>().ProducesProblem(404);
    }

    private static async Task<IResult> ListAsync(ApiPlace place, HttpContext context)
    {
        if (Endpoint.Limit(context, out IResult? problem) is not { } limit)
        {
            return problem!;
        }
        string? cursor = context.Request.Query["cursor"];
        IReadOnlyList<ClusterSessionView> all = await place.AskAsync<IReadOnlyList<ClusterSessionView>>(reply => new ListSessions(reply), context.RequestAborted);
        int from = cursor is null ? 0 : all.TakeWhile(session => session.Id != cursor).Count() + 1;
        if (cursor is not null && from > all.Count)
        {
            return ApiProblem.Invalid("cursor", "this is no cursor of this list: begin anew");
        }
        ClusterSessionView[] page = [.. all.Skip(from).Take(limit)];
        return Results.Ok(new SessionList(page, from + page.Length < all.Count ? page[^1].Id : null));
    }

    private static async Task<IResult> StartAsync(SessionRequest request, ApiPlace place, HttpContext context)
    {
        if (request.SnapBytes > 0 && !Caller.MayInspect(context.User))
        {
            return ApiProblem.Of(StatusCodes.Status403Forbidden, $"to keep bytes of payload the role {Roles.Inspector} is needed: leave snap_bytes out");
        }
        Result<ClusterSessionView> made = await place.AskAsync<Result<ClusterSessionView>>(reply => new CreateSession(request, Caller.NameOf(context.User), reply), context.RequestAborted);
        return made.Value is { } session ? Results.Created($"/api/sessions/{session.Id}", session) : ApiProblem.Of(made.Error!);
    }

    private static async Task<IResult> ReadAsync(string id, ApiPlace place, HttpContext context)
    {
        Result<ClusterSessionView> found = await place.AskAsync<Result<ClusterSessionView>>(reply => new GetSession(id, reply), context.RequestAborted);
        return found.Value is { } session ? Endpoint.Tagged(context, session) : ApiProblem.Of(found.Error!);
    }

    private static async Task<IResult> StatisticsAsync(string id, ApiPlace place, HttpContext context)
    {
        Result<ClusterSessionView> found = await place.AskAsync<Result<ClusterSessionView>>(reply => new GetSession(id, reply), context.RequestAborted);
        return found.Value is not { } session ? ApiProblem.Of(found.Error!)
            : session.Statistics is { } statistics ? Results.Ok(statistics)
            : ApiProblem.Of(StatusCodes.Status503ServiceUnavailable, "no node has reported yet");
    }

    private static async Task<IResult> ChangeAsync(string id, ApiPlace place, HttpContext context, Func<ActorRef<Result<ClusterSessionView>>, ClusterMessage> order) =>
        await NotTheirsAsync(id, place, context) ?? await place.AnswerAsync(order, context.RequestAborted);

    /// <summary>Stops it, if it runs, and answers with its export; with purge=true it and all that it has stored is forgotten instead.</summary>
    private static async Task<IResult> EndAsync(string id, ApiPlace place, HttpContext context)
    {
        string? purge = context.Request.Query["purge"];
        if (purge is not (null or "true" or "false"))
        {
            return ApiProblem.Invalid("purge", "true or false is needed");
        }
        if (await NotTheirsAsync(id, place, context) is { } refused)
        {
            return refused;
        }
        if (purge == "true")
        {
            Result<ClusterSessionView> deleted = await place.AskAsync<Result<ClusterSessionView>>(reply => new DeleteSession(id, reply), context.RequestAborted);
            if (deleted.Error is { } error)
            {
                return ApiProblem.Of(error);
            }
            place.Exports.Forget(id);
            place.Journeys.Forget(id);
            RetentionDone done = await place.AskStorageAsync<RetentionDone>(reply => new RemoveSession(id, reply), context.RequestAborted);
            return done.Error is { } failed ? ApiProblem.Of(StatusCodes.Status503ServiceUnavailable, failed) : Results.NoContent();
        }
        Result<ClusterSessionView> now = await TraceEndpoints.SessionAsync(id, place, context);
        if (now.Error is { Code: CommandError.Forbidden } hidden)
        {
            return ApiProblem.Of(hidden);
        }
        if (now.Value is { State: not ("STOPPED" or "FAILED") })
        {
            Result<ClusterSessionView> stopping = await place.AskAsync<Result<ClusterSessionView>>(reply => new StopSession(id, Caller.NameOf(context.User), reply), context.RequestAborted);
            if (stopping.Error is { } error)
            {
                return ApiProblem.Of(error);
            }
            now = await StoppedAsync(id, place, context.RequestAborted);
        }
        return await TraceEndpoints.ExportAsync(now.Value!, place, context);
    }

    /// <summary>It stops when its nodes have handed over what they had, at the latest after half a minute.</summary>
    private static async Task<Result<ClusterSessionView>> StoppedAsync(string id, ApiPlace place, CancellationToken cancellation)
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(100));
        while (true)
        {
            Result<ClusterSessionView> now = await place.AskAsync<Result<ClusterSessionView>>(reply => new GetSession(id, reply), cancellation);
            if (now.Value is null or { State: "STOPPED" or "FAILED" })
            {
                return now;
            }
            await timer.WaitForNextTickAsync(cancellation);
        }
    }

    /// <summary>The problem where the caller may not change it; null where it may.</summary>
    private static async Task<IResult?> NotTheirsAsync(string id, ApiPlace place, HttpContext context)
    {
        Result<ClusterSessionView> found = await place.AskAsync<Result<ClusterSessionView>>(reply => new GetSession(id, reply), context.RequestAborted);
        return found.Value is not { } session ? ApiProblem.Of(found.Error!)
            : Caller.IsAdmin(context.User) || session.Owner == Caller.NameOf(context.User) ? null
            : ApiProblem.Forbidden(string.Create(CultureInfo.InvariantCulture, $"this session belongs to {session.Owner}: only its owner and admins change it"));
    }
}
