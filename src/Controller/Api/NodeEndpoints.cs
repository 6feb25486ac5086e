using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using NftCluster.Controller.Auth;
using NftCluster.Controller.Cluster;
using NftCluster.Controller.Sessions;
using NftCluster.Messages.Link;

namespace NftCluster.Controller.Api;

internal sealed record NodeList(IReadOnlyList<NodeView> Nodes, string? Next);

/// <summary><c>/api/nodes</c>.</summary>
internal static class NodeEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/nodes", async (ApiPlace place, HttpContext context) =>
            Results.Ok(new NodeList(await place.AskAsync<IReadOnlyList<NodeView>>(reply => new ListNodes(reply), context.RequestAborted), null))).For(Roles.Viewer).Produces<NodeList>();
        api.MapGet("/nodes/{id}", async (string id, ApiPlace place, HttpContext context) =>
        {
            Result<NodeView> found = await place.AskAsync<Result<NodeView>>(reply => new GetNode(id, reply), context.RequestAborted);
            return found.Value is { } node ? Endpoint.Tagged(context, node) : ApiProblem.Of(found.Error!);
        }).For(Roles.Viewer).Produces<NodeView>().ProducesProblem(404);
        api.MapPost("/nodes/{id}/revoke", (string id, ApiPlace place, HttpContext context) =>
            place.AnswerAsync<NodeView>(reply => new RevokeNode(id, Caller.NameOf(context.User), reply), context.RequestAborted)).For(Roles.Admin).Produces<NodeView>().ProducesProblem(404);
        api.MapGet("/nodes/{id}/probes", (string id, ApiPlace place, HttpContext context) =>
            AskAsync(id, new Request { Probes = new Empty() }, place, context)).For(Roles.Viewer).Produces(StatusCodes.Status200OK, contentType: "application/json").ProducesProblem(404).ProducesProblem(503);
    }

    /// <summary>The node's own JSON, while it is connected.</summary>
    private static async Task<IResult> AskAsync(string id, Request request, ApiPlace place, HttpContext context)
    {
        Result<Reply> answer = await place.AskAsync<Result<Reply>>(reply => new AskNode(id, request, reply), context.RequestAborted);
        return answer.Value is not { } reply ? ApiProblem.Of(answer.Error!)
            : reply.Error.Length > 0 ? ApiProblem.Of(StatusCodes.Status503ServiceUnavailable, reply.Error)
            : Results.Bytes(reply.Json.ToByteArray(), "application/json");
    }
}
