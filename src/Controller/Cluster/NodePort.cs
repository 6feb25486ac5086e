using System.Net.WebSockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NftCluster.Actors;
using NftCluster.Controller.Sessions;
using NftCluster.Controller.Storage;
using NftCluster.Messages.Link;

namespace NftCluster.Controller.Cluster;

/// <summary>What nodes ask for: GET /ca, POST /join without a certificate; POST /renew and GET /link with theirs.</summary>
internal sealed class NodePort(CertificateAuthority authority, ActorRef<ClusterMessage> cluster, ActorRef<StorageMessage> storage, LinkOptions options, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(15);

    private readonly IngestBudget _budget = new(options.UnpackedBytes);

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/ca", () => Results.Text(authority.BundlePem, "application/x-pem-file"));
        routes.MapPost("/join", (RequestDelegate)JoinAsync);
        routes.MapPost("/renew", (RequestDelegate)RenewAsync);
        routes.MapGet("/link", (RequestDelegate)LinkAsync);
    }

    private async Task JoinAsync(HttpContext context)
    {
        if (await ReadAsync(context, JoinJson.Default.JoinRequest) is not { } request)
        {
            return;
        }
        // JSON may say null where the type does not.
        if (request is { Secret: null } or { Name: null } or { Labels: null } or { CsrPem: null } or { KeyId: null } || request.Labels.Values.Any(value => value is null))
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, "secret, name, labels, csr_pem and key_id are needed");
            return;
        }
        await AnswerAsync(context, reply => new JoinNode(request, reply));
    }

    private async Task RenewAsync(HttpContext context)
    {
        if (await IdentifyAsync(context) is { } identity && await ReadAsync(context, JoinJson.Default.RenewRequest) is { CsrPem: not null } request)
        {
            await AnswerAsync(context, reply => new RenewNode(identity.NodeId, request.CsrPem, reply));
        }
    }

    private async Task LinkAsync(HttpContext context)
    {
        if (await IdentifyAsync(context) is not { } identity)
        {
            return;
        }
        if (!context.WebSockets.IsWebSocketRequest || !context.WebSockets.WebSocketRequestedProtocols.Contains(LinkOptions.SubProtocol))
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, $"/link is a WebSocket with the subprotocol {LinkOptions.SubProtocol}");
            return;
        }
        CancellationToken stopping = context.RequestServices.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync(LinkOptions.SubProtocol);
        await new NodeConnection(socket, identity, cluster, storage, _budget, options, time, logger).RunAsync(end.Token);
    }

    /// <summary>The handshake let only certificates of our CA through; here what is wrong with one can be said in words.</summary>
    private async Task<NodeIdentity?> IdentifyAsync(HttpContext context)
    {
        if (await context.Connection.GetClientCertificateAsync(context.RequestAborted) is not { } certificate)
        {
            await RefuseAsync(context, StatusCodes.Status401Unauthorized, "a node shows the certificate that it got when it joined");
            return null;
        }
        DateTimeOffset now = time.GetUtcNow();
        if (now > certificate.Ends())
        {
            await RefuseAsync(context, StatusCodes.Status403Forbidden, $"this node's certificate ended at {certificate.Ends():yyyy-MM-dd HH:mm}Z: join again with a new token");
            return null;
        }
        if (now < certificate.Begins())
        {
            await RefuseAsync(context, StatusCodes.Status403Forbidden, $"this node's certificate begins at {certificate.Begins():yyyy-MM-dd HH:mm}Z, the controller's clock says {now:yyyy-MM-dd HH:mm}Z: set the controller's clock");
            return null;
        }
        return new NodeIdentity(certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false), certificate.Ends(), authority.IsOutgoing(certificate), AddressOf(context));
    }

    /// <summary>A socket for both families shows IPv4 in IPv6's clothes.</summary>
    private static string AddressOf(HttpContext context) => context.Connection.RemoteIpAddress is not { } address ? "?"
        : (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString();

    private async Task AnswerAsync(HttpContext context, Func<ActorRef<Result<JoinAnswer>>, ClusterMessage> order)
    {
        Result<JoinAnswer> result;
        try
        {
            result = await cluster.AskAsync(order, _patience, context.RequestAborted);
        }
        catch (Exception busy) when (busy is TimeoutException or InvalidOperationException)
        {
            result = new CommandError(CommandError.Unavailable, null, "the controller is busy or stopping: try again");
        }
        if (result.Value is { } answer)
        {
            await context.Response.WriteAsJsonAsync(answer, JoinJson.Default.JoinAnswer, cancellationToken: context.RequestAborted);
            return;
        }
        int status = result.Error!.Code switch
        {
            CommandError.Forbidden => StatusCodes.Status403Forbidden,
            CommandError.Conflict => StatusCodes.Status409Conflict,
            CommandError.Unavailable => StatusCodes.Status503ServiceUnavailable,
            _ => StatusCodes.Status400BadRequest,
        };
        await RefuseAsync(context, status, result.Error.Text, result.Error.Field);
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
            // Said below: what exactly is wrong with it would be the sender's text in our words.
        }
        catch (BadHttpRequestException tooMuch)
        {
            await RefuseAsync(context, tooMuch.StatusCode, "the request is too large or came too slowly");
            return null;
        }
        await RefuseAsync(context, StatusCodes.Status400BadRequest, "the body is not the JSON that is asked for");
        return null;
    }

    private static Task RefuseAsync(HttpContext context, int status, string detail, string? field = null) =>
        Results.Problem(detail, statusCode: status, extensions: field is null ? null : new Dictionary<string, object?>(StringComparer.Ordinal) { ["field"] = field }).ExecuteAsync(context);
}
