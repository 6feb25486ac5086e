using System.Globalization;
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
        api.MapGet("/nodes/{id}/ruleset", RulesetAsync).For(Roles.Viewer, "generation").Produces(StatusCodes.Status200OK, contentType: "application/json").ProducesProblem(404).ProducesProblem(503);
        api.MapPost("/nodes/{id}/rules", ChangeRulesAsync).For(Roles.Admin).Produces(StatusCodes.Status200OK, contentType: "application/json").ProducesProblem(404).ProducesProblem(409).ProducesProblem(503);
    }

    private static Task<IResult> RulesetAsync(string id, ApiPlace place, HttpContext context)
    {
        string? text = context.Request.Query["generation"];
        uint generation = 0;
        return text is not null && (!uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out generation) || generation == 0)
            ? Task.FromResult(ApiProblem.Invalid("generation", "a generation's number is needed, as verdicts carry it; leave it out for the one in force"))
            : AskAsync(id, new Request { Ruleset = new RulesetRequest { Generation = generation } }, place, context);
    }

    /// <summary>The node must have been started with --allow-changes; it checks, changes in one transaction, logs, and keeps what undo needs.</summary>
    private static Task<IResult> ChangeRulesAsync(string id, RuleChangeRequest change, ApiPlace place, HttpContext context) =>
        change.Wrong() is { } wrong ? Task.FromResult(ApiProblem.Of(wrong))
            : AskAsync(id, new Request { RuleChange = change.ToOrder(Caller.NameOf(context.User)) }, place, context);

    /// <summary>The node's own JSON, while it is connected.</summary>
    private static async Task<IResult> AskAsync(string id, Request request, ApiPlace place, HttpContext context)
    {
        Result<Reply> answer = await place.AskAsync<Result<Reply>>(reply => new AskNode(id, request, reply), context.RequestAborted);
        return answer.Value is not { } reply ? ApiProblem.Of(answer.Error!)
            : reply.Error.Length > 0 ? ApiProblem.Of(reply.Status is >= 400 and < 600 ? (int)reply.Status : StatusCodes.Status503ServiceUnavailable, reply.Error)
            : Results.Bytes(reply.Json.ToByteArray(), "application/json");
    }
}
