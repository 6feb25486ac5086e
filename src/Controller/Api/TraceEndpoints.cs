using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using NftCluster.Controller.Auth;
using NftCluster.Controller.Cluster;
using NftCluster.Controller.Export;
using NftCluster.Controller.Sessions;
using NftCluster.Controller.Storage;

namespace NftCluster.Controller.Api;

internal sealed record TraceList(IReadOnlyList<JsonObject> Traces, string? Next);

internal sealed record LossList(IReadOnlyList<LossView> Losses, string? Next);

/// <summary>A count of null is not known.</summary>
internal sealed record LossView(string NodeId, string Stage, string Kind, long? Count, string From, string To, string Text);

/// <summary>What a session has stored: <c>/traces</c>, <c>/losses</c>, <c>/export</c>.</summary>
internal static class TraceEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/sessions/{id}/traces", ListAsync).For(Roles.Viewer, TraceParameters.Names).Produces<TraceList>().ProducesProblem(404);
        api.MapGet("/sessions/{id}/traces/{trace}", ReadAsync).For(Roles.Viewer).Produces<JsonObject>().ProducesProblem(404);
        api.MapGet("/sessions/{id}/losses", LossesAsync).For(Roles.Viewer).Produces<LossList>().ProducesProblem(404);
        api.MapGet("/sessions/{id}/export", DownloadAsync).For(Roles.Viewer).Produces(StatusCodes.Status200OK, contentType: "application/json").ProducesProblem(404);
    }

    public static async Task<IResult> ExportAsync(ClusterSessionView session, ApiPlace place, HttpContext context)
    {
        IReadOnlyList<NodeView> nodes = await place.AskAsync<IReadOnlyList<NodeView>>(reply => new ListNodes(reply), context.RequestAborted);
        ExportFile file = await place.Exports.MakeAsync(session, nodes, context.RequestAborted);
        return Results.File(file.Path, "application/json", file.Name, entityTag: new Microsoft.Net.Http.Headers.EntityTagHeaderValue($"\"{file.Tag}\""), enableRangeProcessing: true);
    }

    private static async Task<IResult> ListAsync(string id, ApiPlace place, HttpContext context)
    {
        Result<ClusterSessionView> session = await SessionAsync(id, place, context);
        if (session.Value is null)
        {
            return ApiProblem.Of(session.Error!);
        }
        if (TraceParameters.Read(id, context, out IResult? problem) is not { } query)
        {
            return problem!;
        }
        TracePage page = await place.Queries.FindAsync(query, context.RequestAborted);
        return Results.Ok(new TraceList([.. page.Traces.Select(stored => ClusterExport.WithNode(stored, NameOf(session.Value, stored)))], page.Next?.ToString()));
    }

    private static async Task<IResult> ReadAsync(string id, string trace, ApiPlace place, HttpContext context)
    {
        Result<ClusterSessionView> session = await SessionAsync(id, place, context);
        return session.Value is null ? ApiProblem.Of(session.Error!)
            : TraceId.TryParse(trace, out TraceId parsed) && await place.Queries.GetAsync(id, parsed, context.RequestAborted) is { } stored ? Endpoint.Tagged(context, ClusterExport.WithNode(stored, NameOf(session.Value, stored)))
            : ApiProblem.NotFound("there is no such trace, or retention has removed it");
    }

    private static async Task<IResult> LossesAsync(string id, ApiPlace place, HttpContext context)
    {
        Result<ClusterSessionView> session = await SessionAsync(id, place, context);
        if (session.Value is null)
        {
            return ApiProblem.Of(session.Error!);
        }
        IReadOnlyList<StoredLoss> losses = [.. await place.Queries.LossesAsync(id, context.RequestAborted), .. await place.Queries.RemovalsAsync(id, context.RequestAborted)];
        return Results.Ok(new LossList([.. losses.Select(loss => new LossView(loss.NodeId, loss.Stage, loss.Kind, loss.Count, Messages.TraceTime.Format(loss.FromNs), Messages.TraceTime.Format(loss.ToNs), loss.Text))], null));
    }

    private static async Task<IResult> DownloadAsync(string id, ApiPlace place, HttpContext context)
    {
        Result<ClusterSessionView> session = await SessionAsync(id, place, context);
        return session.Value is { } view ? await ExportAsync(view, place, context) : ApiProblem.Of(session.Error!);
    }

    private static Task<Result<ClusterSessionView>> SessionAsync(string id, ApiPlace place, HttpContext context) =>
        place.AskAsync<Result<ClusterSessionView>>(reply => new GetSession(id, reply), context.RequestAborted);

    private static string NameOf(ClusterSessionView session, StoredTrace stored) =>
        session.Nodes.FirstOrDefault(node => node.NodeId == stored.Id.NodeId)?.NodeName ?? stored.Id.NodeId;
}
