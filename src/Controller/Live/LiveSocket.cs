using System.Globalization;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using NftCluster.Actors;
using NftCluster.Controller.Auth;

namespace NftCluster.Controller.Live;

/// <summary>
/// <c>GET /api/ws</c>: a viewer from its token to its end. The token comes as a subprotocol ("nftcluster" and "bearer.TOKEN": what a browser can send) or in
/// the first message {"token": …}; later messages {"watch": SESSION}, with "journeys": true for its journeys, too, or {"watch": null} for nodes and states of all sessions.
/// A token that is over ends the socket.
/// </summary>
internal sealed class LiveSocket(ActorRef<LiveMessage> hub, ActorRef<FeedMessage> feed, TimeProvider time)
{
    private const string Protocol = "nftcluster";
    private const string TokenPrefix = "bearer.";
    private const int MostMessage = 16 << 10;
    private const int MostWatched = 64;
    private static readonly TimeSpan _loginPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _feedPatience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan _looksAgain = TimeSpan.FromSeconds(30);

    public async Task RunAsync(HttpContext context)
    {
        string? offered = context.WebSockets.WebSocketRequestedProtocols.FirstOrDefault(protocol => protocol.StartsWith(TokenPrefix, StringComparison.Ordinal));
        using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync(context.WebSockets.WebSocketRequestedProtocols.Contains(Protocol, StringComparer.Ordinal) ? Protocol : null);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        try
        {
            string? token = offered?[TokenPrefix.Length..] ?? await FirstAsync(socket, end.Token);
            if (token is null || !await MayWatchAsync(context, token))
            {
                await CloseAsync(socket, "log in first: the token is missing, over, or not known");
                return;
            }
            await ServeAsync(context, socket, token, end);
        }
        catch (Exception ended) when (ended is OperationCanceledException or WebSocketException or TimeoutException or InvalidOperationException)
        {
            // The viewer went, or the controller stops or is too busy.
        }
    }

    private async Task ServeAsync(HttpContext context, WebSocket socket, string token, CancellationTokenSource end)
    {
        LiveViewer viewer = new();
        try
        {
            Task sending = SendAsync(socket, viewer, end.Token);
            Task<string?> hearing = HearAsync(socket, viewer, end.Token);
            Task<string?> looking = LookAsync(context, token, end.Token);
            Task first = await Task.WhenAny(sending, hearing, looking);
            string? why = first == hearing ? await hearing : first == looking ? await looking : null;
            await end.CancelAsync();
            await Task.WhenAll(sending, hearing, looking).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await CloseAsync(socket, why ?? "");
        }
        finally
        {
            hub.Tell(new StopWatching(viewer));
            await feed.TellAsync(new StopFollowing(viewer));
        }
    }

    private static async Task SendAsync(WebSocket socket, LiveViewer viewer, CancellationToken cancellation)
    {
        while (true)
        {
            await socket.SendAsync(await viewer.TakeAsync(cancellation), WebSocketMessageType.Text, endOfMessage: true, cancellation);
        }
    }

    /// <summary>Why it ends; null when the viewer says so.</summary>
    private async Task<string?> HearAsync(WebSocket socket, LiveViewer viewer, CancellationToken cancellation)
    {
        int watched = 0;
        while (await ReadAsync(socket, cancellation) is { } text)
        {
            if (text.Length == 0 || Property(text, "watch", out string? session) is false)
            {
                return "a message is {\"watch\": SESSION} or {\"watch\": null}";
            }
            if (++watched > MostWatched)
            {
                return string.Create(CultureInfo.InvariantCulture, $"at most {MostWatched} sessions");
            }
            hub.Tell(new Watch(viewer, session));
            if (session is not null && WantsJourneys(text))
            {
                await feed.AskAsync<Following>(reply => new FollowJourneys(viewer, session, reply), _feedPatience, cancellation);
            }
            viewer.Offer(JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, string?>(StringComparer.Ordinal) { ["type"] = "watching", ["session_id"] = session }));
        }
        return null;
    }

    private async Task<string?> LookAsync(HttpContext context, string token, CancellationToken cancellation)
    {
        using PeriodicTimer timer = new(_looksAgain, time);
        while (await timer.WaitForNextTickAsync(cancellation))
        {
            if (!await MayWatchAsync(context, token))
            {
                return "the token is over: log in again";
            }
        }
        return null;
    }

    /// <summary>By the same rules as every request.</summary>
    private static async Task<bool> MayWatchAsync(HttpContext context, string token)
    {
        // A scope of its own: handlers belong to the request that they were made for.
        using IServiceScope scope = context.RequestServices.CreateScope();
        DefaultHttpContext asked = new() { RequestServices = scope.ServiceProvider };
        asked.Request.Headers.Authorization = $"Bearer {token}";
        AuthenticateResult result = await asked.AuthenticateAsync();
        return result.Principal is { } caller && Roles.AtLeast(Roles.Viewer).Any(caller.IsInRole) && !caller.HasClaim(claim => claim.Type == Caller.FirstLoginClaim);
    }

    private static async Task<string?> FirstAsync(WebSocket socket, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(_loginPatience);
        string? text = await ReadAsync(socket, patience.Token);
        return text is not null && Property(text, "token", out string? token) ? token : null;
    }

    private static bool Property(string text, string name, out string? value)
    {
        value = null;
        try
        {
            using var document = JsonDocument.Parse(text);
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty(name, out JsonElement property) || property.ValueKind is not (JsonValueKind.String or JsonValueKind.Null))
            {
                return false;
            }
            value = property.GetString();
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static bool WantsJourneys(string text)
    {
        using var document = JsonDocument.Parse(text);
        return document.RootElement.TryGetProperty("journeys", out JsonElement wanted) && wanted.ValueKind == JsonValueKind.True;
    }

    /// <summary>Null when the viewer closes; empty for what is no text, or too long.</summary>
    private static async Task<string?> ReadAsync(WebSocket socket, CancellationToken cancellation)
    {
        byte[] buffer = new byte[MostMessage];
        int length = 0;
        while (true)
        {
            ValueWebSocketReceiveResult part = await socket.ReceiveAsync(buffer.AsMemory(length), cancellation);
            length += part.Count;
            if (part.MessageType == WebSocketMessageType.Close)
            {
                return null;
            }
            if (part.MessageType != WebSocketMessageType.Text || (length == MostMessage && !part.EndOfMessage))
            {
                return "";
            }
            if (part.EndOfMessage)
            {
                return Encoding.UTF8.GetString(buffer, 0, length);
            }
        }
    }

    private static async Task CloseAsync(WebSocket socket, string why)
    {
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(2));
        if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
        {
            await socket.CloseOutputAsync(why.Length == 0 ? WebSocketCloseStatus.NormalClosure : WebSocketCloseStatus.PolicyViolation, why, patience.Token);
        }
    }
}
