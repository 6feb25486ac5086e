using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using NftCluster.Controller.Auth;
using NftCluster.Controller.Cluster;
using NftCluster.Controller.Sessions;
using NftCluster.Controller.Stitching;
using NftCluster.Controller.Storage;
using NftCluster.Messages;

namespace NftCluster.Controller.Api;

internal sealed record JourneyList(IReadOnlyList<JourneyRecord> Journeys, string? Next);

internal sealed record PathList(IReadOnlyList<PathRecord> Paths, string? Next);

/// <summary>Packets across routers: <c>/journeys</c>, <c>/paths</c>.</summary>
internal static class JourneyEndpoints
{
    private static readonly string[] _own = ["outcome", "join", "path", "latency_over_ns", "whole"];

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/sessions/{id}/journeys", ListAsync).For(Roles.Viewer, [.. TraceParameters.Names, .. _own]).Produces<JourneyList>().ProducesProblem(404);
        api.MapGet("/sessions/{id}/paths", PathsAsync).For(Roles.Viewer, TraceParameters.Names).Produces<PathList>().ProducesProblem(404);
        api.MapGet("/journeys", ListAllAsync).For(Roles.Viewer, [.. TraceParameters.Names, .. _own, "session"]).Produces<JourneyList>();
        api.MapGet("/journeys/{id}/pcapng", CaptureAsync).For(Roles.Viewer).Produces(StatusCodes.Status200OK, contentType: TraceEndpoints.PcapngType).ProducesProblem(404);
        api.MapGet("/journeys/{id}", ReadAsync).For(Roles.Viewer).Produces<JourneyRecord>().ProducesProblem(404);
    }

    private static async Task<IResult> ListAsync(string id, ApiPlace place, HttpContext context)
    {
        Result<ClusterSessionView> session = await place.AskAsync<Result<ClusterSessionView>>(reply => new GetSession(id, reply), context.RequestAborted);
        if (session.Value is null)
        {
            return ApiProblem.Of(session.Error!);
        }
        if (Query(id, context, out IResult? problem) is not { } query)
        {
            return problem!;
        }
        JourneyPage page = await place.Journeys.FindAsync(query, await NodeNames.AskAsync(place.Cluster, context.RequestAborted), context.RequestAborted);
        return Listed(page);
    }

    /// <summary>Of all sessions, or of those that are named.</summary>
    private static async Task<IResult> ListAllAsync(ApiPlace place, HttpContext context)
    {
        if (Query("", context, out IResult? problem) is not { } query)
        {
            return problem!;
        }
        HashSet<string> asked = [.. context.Request.Query["session"].OfType<string>()];
        IReadOnlyList<ClusterSessionView> sessions = await place.AskAsync<IReadOnlyList<ClusterSessionView>>(reply => new ListSessions(reply), context.RequestAborted);
        if (asked.FirstOrDefault(name => !sessions.Any(session => session.Id == name || session.Name == name)) is { } unknown)
        {
            return ApiProblem.Invalid("session", $"there is no session '{unknown}'");
        }
        IReadOnlyDictionary<string, string> names = await NodeNames.AskAsync(place.Cluster, context.RequestAborted);
        List<JourneyPage> pages = [];
        foreach (ClusterSessionView session in sessions.Where(session => asked.Count == 0 || asked.Contains(session.Id) || asked.Contains(session.Name)))
        {
            pages.Add(await place.Journeys.FindAsync(query with { Traces = query.Traces with { SessionId = session.Id } }, names, context.RequestAborted));
        }
        return Listed(JourneyPage.Merge(pages, query.Traces.Limit, query.Traces.OldestFirst));
    }

    private static IResult Listed(JourneyPage page) => Results.Ok(new JourneyList(page.Journeys, page.NextNs?.ToString(CultureInfo.InvariantCulture)));

    private static JourneyQuery? Query(string session, HttpContext context, out IResult? problem)
    {
        IQueryCollection given = context.Request.Query;
        string cursor = given["cursor"].ToString();
        long after = 0;
        if (cursor.Length > 0 && !long.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out after))
        {
            problem = ApiProblem.Invalid("cursor", "this is no cursor of this list: begin anew");
            return null;
        }
        return TraceParameters.Read(session, context, out problem, readsCursor: false) is { } traces ? Own(given, traces, cursor.Length > 0 ? after : null, out problem) : null;
    }

    private static JourneyQuery? Own(IQueryCollection given, TraceQuery traces, long? after, out IResult? problem)
    {
        problem = null;
        string latency = given["latency_over_ns"].ToString();
        long least = 0;
        if (latency.Length > 0 && !long.TryParse(latency, NumberStyles.None, CultureInfo.InvariantCulture, out least))
        {
            problem = ApiProblem.Invalid("latency_over_ns", "a whole number of nanoseconds is needed");
        }
        if (given["whole"].ToString() is not ("" or "true" or "false"))
        {
            problem ??= ApiProblem.Invalid("whole", "true or false is needed");
        }
        string[] joins = [.. given["join"].OfType<string>()];
        if (joins.Any(kind => kind is not ("exact" or "nat" or "content" or "ambiguous")))
        {
            problem ??= ApiProblem.Invalid("join", "exact, nat, content or ambiguous is needed");
        }
        return problem is not null ? null : new JourneyQuery
        {
            Traces = traces,
            Outcomes = [.. given["outcome"].OfType<string>()],
            Joins = joins,
            Path = given["path"].ToString() is { Length: > 0 } path ? path : null,
            LatencyOverNs = latency.Length > 0 ? least : null,
            Complete = given["whole"].ToString() is { Length: > 0 } whole ? whole == "true" : null,
            AfterNs = after,
        };
    }

    private static async Task<IResult> PathsAsync(string id, ApiPlace place, HttpContext context)
    {
        Result<ClusterSessionView> session = await place.AskAsync<Result<ClusterSessionView>>(reply => new GetSession(id, reply), context.RequestAborted);
        return session.Value is null ? ApiProblem.Of(session.Error!)
            : TraceParameters.Read(id, context, out IResult? problem) is not { } query ? problem!
            : Results.Ok(new PathList(await place.Journeys.PathsAsync(query, await NodeNames.AskAsync(place.Cluster, context.RequestAborted), context.RequestAborted), null));
    }

    private static async Task<IResult> ReadAsync(string id, ApiPlace place, HttpContext context) =>
        TraceId.TryParse(id, out TraceId trace) && await place.Journeys.GetAsync(trace, await NodeNames.AskAsync(place.Cluster, context.RequestAborted), context.RequestAborted) is { } journey
            ? Endpoint.Tagged(context, journey)
            : NoJourney();

    /// <summary>Its hops' packets, in hop order; times are each node's own.</summary>
    private static async Task<IResult> CaptureAsync(string id, ApiPlace place, HttpContext context)
    {
        IReadOnlyDictionary<string, string> names = await NodeNames.AskAsync(place.Cluster, context.RequestAborted);
        if (!TraceId.TryParse(id, out TraceId trace) || await place.Journeys.GetAsync(trace, names, context.RequestAborted) is not { } journey)
        {
            return NoJourney();
        }
        if ((await TraceEndpoints.SessionAsync(journey.SessionId, place, context)).Error is { } refused)
        {
            return ApiProblem.Of(refused);
        }
        List<StoredTrace> traces = [];
        foreach (HopRecord hop in journey.Hops)
        {
            if (TraceId.TryParse(hop.TraceId, out TraceId one) && await place.Queries.GetAsync(journey.SessionId, one, context.RequestAborted) is { } stored)
            {
                traces.Add(stored);
            }
        }
        return TraceEndpoints.Capture(traces, node => names.GetValueOrDefault(node, node), $"journey_{id}.pcapng");
    }

    private static IResult NoJourney() => ApiProblem.NotFound("there is no such journey, or retention has removed it: an id is that of one of its traces");
}
