using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using NftCluster.Actors;
using NftCluster.Controller.Cluster;
using NftCluster.Controller.Sessions;

namespace NftCluster.Controller.Hosting;

/// <summary>
/// The operator's door: a socket in the state directory (0600). Who may open it may read the database anyway, so it asks for no
/// password; the first join token must come from somewhere.
/// </summary>
internal sealed class LocalPort(ActorRef<ClusterMessage> cluster)
{
    public const string SocketName = "controller.sock";

    private const string By = "the operator on the controller's host";
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(15);

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/join-tokens", async context =>
        {
            if (await ReadAsync(context, LocalJson.Default.TokenOrder) is { } order)
            {
                await AnswerAsync(context, LocalJson.Default.JoinTokenView, reply => new CreateJoinToken(TimeSpan.FromSeconds(order.TtlSeconds), order.Uses, By, reply));
            }
        });
        routes.MapGet("/nodes", async context => await ListAsync(context, LocalJson.Default.IReadOnlyListNodeView, reply => new ListNodes(reply)));
        routes.MapGet("/nodes/{id}", context => AnswerAsync(context, LocalJson.Default.NodeView, reply => new GetNode(Id(context), reply)));
        routes.MapPost("/nodes/{id}/revoke", context => AnswerAsync(context, LocalJson.Default.NodeView, reply => new RevokeNode(Id(context), By, reply)));
        routes.MapGet("/sessions", async context => await ListAsync(context, LocalJson.Default.IReadOnlyListClusterSessionView, reply => new ListSessions(reply)));
        routes.MapPost("/sessions", async context =>
        {
            if (await ReadAsync(context, LocalJson.Default.SessionRequest) is { } request)
            {
                await SessionAsync(context, reply => new CreateSession(request, By, reply));
            }
        });
        routes.MapGet("/sessions/{id}", context => SessionAsync(context, reply => new GetSession(Id(context), reply)));
        routes.MapPatch("/sessions/{id}", async context =>
        {
            if (await ReadAsync(context, LocalJson.Default.SessionPatch) is { } patch)
            {
                await SessionAsync(context, reply => new ChangeSession(Id(context), patch, reply));
            }
        });
        routes.MapPost("/sessions/{id}/pause", context => SessionAsync(context, reply => new PauseSession(Id(context), reply)));
        routes.MapPost("/sessions/{id}/resume", context => SessionAsync(context, reply => new ResumeSession(Id(context), reply)));
        routes.MapPost("/sessions/{id}/stop", context => SessionAsync(context, reply => new StopSession(Id(context), By, reply)));
    }

    private static string Id(HttpContext context) => (string)context.Request.RouteValues["id"]!;

    private Task SessionAsync(HttpContext context, Func<ActorRef<Result<ClusterSessionView>>, ClusterMessage> order) => AnswerAsync(context, LocalJson.Default.ClusterSessionView, order);

    private async Task ListAsync<T>(HttpContext context, JsonTypeInfo<IReadOnlyList<T>> type, Func<ActorRef<IReadOnlyList<T>>, ClusterMessage> order) =>
        await context.Response.WriteAsJsonAsync(await cluster.AskAsync(order, _patience, context.RequestAborted), type, cancellationToken: context.RequestAborted);

    private async Task AnswerAsync<T>(HttpContext context, JsonTypeInfo<T> type, Func<ActorRef<Result<T>>, ClusterMessage> order)
        where T : class
    {
        Result<T> result = await cluster.AskAsync(order, _patience, context.RequestAborted);
        if (result.Value is { } value)
        {
            await context.Response.WriteAsJsonAsync(value, type, cancellationToken: context.RequestAborted);
            return;
        }
        context.Response.StatusCode = result.Error!.Code switch
        {
            CommandError.NotFound => StatusCodes.Status404NotFound,
            CommandError.Conflict => StatusCodes.Status409Conflict,
            CommandError.Unavailable => StatusCodes.Status503ServiceUnavailable,
            _ => StatusCodes.Status400BadRequest,
        };
        await context.Response.WriteAsJsonAsync(result.Error, LocalJson.Default.CommandError, cancellationToken: context.RequestAborted);
    }

    private static async Task<T?> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            if (await JsonSerializer.DeserializeAsync(context.Request.Body, type, context.RequestAborted) is { } read)
            {
                return read;
            }
        }
        catch (JsonException)
        {
            // Answered below.
        }
        context.Response.StatusCode = StatusCodes.Status400BadRequest;
        await context.Response.WriteAsJsonAsync(new CommandError(CommandError.Invalid, null, "the body is not the JSON that is asked for"), LocalJson.Default.CommandError, cancellationToken: context.RequestAborted);
        return null;
    }
}

internal sealed record TokenOrder(long TtlSeconds, int Uses);

/// <summary>What is said on the operator's socket. The public API has records of its own.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, RespectNullableAnnotations = true, MaxDepth = 16)]
[JsonSerializable(typeof(TokenOrder))]
[JsonSerializable(typeof(JoinTokenView))]
[JsonSerializable(typeof(CommandError))]
[JsonSerializable(typeof(SessionRequest))]
[JsonSerializable(typeof(SessionPatch))]
[JsonSerializable(typeof(ClusterSessionView))]
[JsonSerializable(typeof(NodeView))]
[JsonSerializable(typeof(IReadOnlyList<NodeView>))]
[JsonSerializable(typeof(IReadOnlyList<ClusterSessionView>))]
internal sealed partial class LocalJson : JsonSerializerContext;
