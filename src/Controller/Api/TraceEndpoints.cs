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

internal sealed record ExportPartList(IReadOnlyList<ExportPartView> Exports, string? Next);

/// <summary>What was stored in a time, as a file: oldest first.</summary>
internal sealed record ExportPartView(string Name, long Bytes, DateTime WrittenAt);

/// <summary>A count of null is not known.</summary>
internal sealed record LossView(string NodeId, string Stage, string Kind, long? Count, string From, string To, string Text);

/// <summary>What a session has stored: <c>/traces</c>, <c>/losses</c>, <c>/export</c>.</summary>
internal static class TraceEndpoints
{
    public const string PcapngType = "application/x-pcapng";

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/sessions/{id}/traces", ListAsync).For(Roles.Viewer, TraceParameters.Names).Produces<TraceList>().ProducesProblem(404);
        api.MapGet("/sessions/{id}/traces/{trace}", ReadAsync).For(Roles.Viewer).Produces<JsonObject>().ProducesProblem(404);
        api.MapGet("/sessions/{id}/traces/{trace}/pcapng", CaptureAsync).For(Roles.Viewer).Produces(StatusCodes.Status200OK, contentType: PcapngType).ProducesProblem(404);
        api.MapGet("/sessions/{id}/losses", LossesAsync).For(Roles.Viewer).Produces<LossList>().ProducesProblem(404);
        api.MapGet("/sessions/{id}/export", DownloadAsync).For(Roles.Viewer, "format").Produces(StatusCodes.Status200OK, contentType: "application/json").ProducesProblem(404);
        api.MapGet("/sessions/{id}/exports", ListPartsAsync).For(Roles.Viewer).Produces<ExportPartList>().ProducesProblem(404);
        api.MapGet("/sessions/{id}/exports/{name}", DownloadPartAsync).For(Roles.Viewer).Produces(StatusCodes.Status200OK, contentType: "application/json").ProducesProblem(404);
    }

    public static async Task<IResult> ExportAsync(ClusterSessionView session, ApiPlace place, HttpContext context, ExportFormat format = ExportFormat.Json)
    {
        IReadOnlyList<NodeView> nodes = await place.AskAsync<IReadOnlyList<NodeView>>(reply => new ListNodes(reply), context.RequestAborted);
        ExportFile file = await place.Exports.MakeAsync(session, nodes, format, context.RequestAborted);
        return Results.File(file.Path, file.ContentType, file.Name, entityTag: new Microsoft.Net.Http.Headers.EntityTagHeaderValue($"\"{file.Tag}\""), enableRangeProcessing: true);
    }

    public static IResult Capture(IReadOnlyList<StoredTrace> traces, Func<string, string> nameOf, string name) =>
        Results.File(SessionPcapng.Of(traces, nameOf, Hosting.ControllerHost.Version), PcapngType, name);

    private static async Task<IResult> CaptureAsync(string id, string trace, ApiPlace place, HttpContext context)
    {
        Result<ClusterSessionView> session = await SessionAsync(id, place, context);
        return session.Value is null ? ApiProblem.Of(session.Error!)
            : TraceId.TryParse(trace, out TraceId parsed) && await place.Queries.GetAsync(id, parsed, context.RequestAborted) is { } stored ? Capture([stored], _ => NameOf(session.Value, stored), $"trace_{trace}.pcapng")
            : NoTrace();
    }

    private static IResult NoTrace() => ApiProblem.NotFound("there is no such trace, or retention has removed it");

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
        return Results.Ok(new TraceList([.. page.Traces.Select(stored => SessionJson.WithNode(stored, NameOf(session.Value, stored)))], page.Next?.ToString()));
    }

    private static async Task<IResult> ReadAsync(string id, string trace, ApiPlace place, HttpContext context)
    {
        Result<ClusterSessionView> session = await SessionAsync(id, place, context);
        return session.Value is null ? ApiProblem.Of(session.Error!)
            : TraceId.TryParse(trace, out TraceId parsed) && await place.Queries.GetAsync(id, parsed, context.RequestAborted) is { } stored ? Endpoint.Tagged(context, SessionJson.WithNode(stored, NameOf(session.Value, stored)))
            : NoTrace();
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
        string format = context.Request.Query["format"].ToString();
        if (format is not ("" or "json" or "pcapng"))
        {
            return ApiProblem.Invalid("format", "json or pcapng is needed");
        }
        Result<ClusterSessionView> session = await SessionAsync(id, place, context);
        return session.Value is { } view ? await ExportAsync(view, place, context, format == "pcapng" ? ExportFormat.Pcapng : ExportFormat.Json) : ApiProblem.Of(session.Error!);
    }

    private static async Task<IResult> ListPartsAsync(string id, ApiPlace place, HttpContext context)
    {
        Result<ClusterSessionView> session = await SessionAsync(id, place, context);
        return session.Value is { } view
            ? Results.Ok(new ExportPartList([.. place.Exports.Parts(view.Id).Select(part => new FileInfo(part.Path)).Select(file => new ExportPartView(file.Name, file.Length, file.LastWriteTimeUtc))], null))
            : ApiProblem.Of(session.Error!);
    }

    /// <summary>By a name that the list gave, and by no other: nothing of it is a path.</summary>
    private static async Task<IResult> DownloadPartAsync(string id, string name, ApiPlace place, HttpContext context)
    {
        Result<ClusterSessionView> session = await SessionAsync(id, place, context);
        return session.Value is not { } view ? ApiProblem.Of(session.Error!)
            : place.Exports.Parts(view.Id).FirstOrDefault(part => part.Name == name) is { } part ? Results.File(part.Path, "application/json", part.Name, enableRangeProcessing: true)
            : ApiProblem.NotFound("there is no such part, or it was removed to make room");
    }

    /// <summary>The session, unless it keeps payload and the caller may not see any.</summary>
    public static async Task<Result<ClusterSessionView>> SessionAsync(string id, ApiPlace place, HttpContext context)
    {
        Result<ClusterSessionView> found = await place.AskAsync<Result<ClusterSessionView>>(reply => new GetSession(id, reply), context.RequestAborted);
        return found.Value is { Request.SnapBytes: > 0 } && !Caller.MayInspect(context.User)
            ? new CommandError(CommandError.Forbidden, null, $"this session keeps bytes of payload: its traces are for the role {Roles.Inspector}")
            : found;
    }

    private static string NameOf(ClusterSessionView session, StoredTrace stored) =>
        session.Nodes.FirstOrDefault(node => node.NodeId == stored.Id.NodeId)?.NodeName ?? stored.Id.NodeId;
}
