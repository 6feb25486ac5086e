using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Security;
using System.Text.Json;

namespace NftCluster.Cli.Client;

/// <summary>
/// Asks a controller's API as the user of a context. An access token that is over is renewed by the refresh token, once, and both
/// are kept. Throws <see cref="UsageException"/> with one line for whatever the controller refuses.
/// </summary>
internal sealed class ControllerClient : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    /// <summary>Renewed before a request that would end after it.</summary>
    private static readonly TimeSpan _nearlyOver = TimeSpan.FromSeconds(30);

    private readonly ContextStore _store;
    private readonly string _name;
    private readonly HttpClient _client;
    private readonly CertificatePin _pin;
    private ClientContext _context;

    public ControllerClient(ContextStore store, string name, ClientContext context)
    {
        (_store, _name, _context, _pin) = (store, name, context, new CertificatePin(context.Fingerprint));
        SocketsHttpHandler handler = new()
        {
            SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, certificate, _, errors) => _pin.Accepts(certificate, errors) },
            AllowAutoRedirect = false, // a token goes to no other host
        };
        _client = new HttpClient(handler) { BaseAddress = new Uri(context.Url), Timeout = _patience };
    }

    /// <summary>Of the certificate that the controller shows.</summary>
    public string? ShownFingerprint => _pin.Shown;

    public ClientContext Context => _context;

    public Task<JsonElement> GetAsync(string path, CancellationToken cancellation) => SendAsync(HttpMethod.Get, path, null, cancellation);

    public Task<JsonElement> PostAsync(string path, object? body, CancellationToken cancellation) => SendAsync(HttpMethod.Post, path, body, cancellation);

    public async Task<JsonElement> SendAsync(HttpMethod method, string path, object? body, CancellationToken cancellation)
    {
        using HttpResponseMessage response = await AskAsync(method, path, body, HttpCompletionOption.ResponseContentRead, null, cancellation);
        byte[] bytes = await response.Content.ReadAsByteArrayAsync(cancellation);
        if (bytes.Length == 0)
        {
            return default;
        }
        try
        {
            using var document = JsonDocument.Parse(bytes);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            throw new UsageException($"{_context.Url} answers with what is no JSON: is it a controller?");
        }
    }

    /// <summary>The answer while it comes; the caller disposes it.</summary>
    public Task<HttpResponseMessage> StreamAsync(string path, long from, CancellationToken cancellation) =>
        AskAsync(HttpMethod.Get, path, null, HttpCompletionOption.ResponseHeadersRead, from > 0 ? new RangeHeaderValue(from, null) : null, cancellation);

    /// <summary>Without a token: what a login or a renewal needs.</summary>
    public Task<HttpResponseMessage> AnonymousAsync(string path, object body, CancellationToken cancellation) => GuardedAsync(() =>
    {
        HttpRequestMessage request = new(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
        return _client.SendAsync(request, cancellation);
    }, cancellation);

    /// <summary>Keeps what a login, a renewal or a new password answered.</summary>
    public void TakeTokens(JsonElement answer, string? username, bool makeCurrent)
    {
        _context = _context with
        {
            Username = username ?? _context.Username,
            AccessToken = answer.GetProperty("access_token").GetString(),
            RefreshToken = answer.GetProperty("refresh_token").GetString(),
            ExpiresAt = DateTimeOffset.UtcNow.AddSeconds(answer.GetProperty("expires_in").GetDouble()),
        };
        _store.Keep(_name, _context, makeCurrent);
    }

    public void Dispose() => _client.Dispose();

    private async Task<HttpResponseMessage> AskAsync(HttpMethod method, string path, object? body, HttpCompletionOption completion, RangeHeaderValue? range, CancellationToken cancellation)
    {
        if (_context.AccessToken is null)
        {
            throw new UsageException($"not logged in to {_context.Url}: nftcluster login {_context.Url}");
        }
        bool isRenewed = _context.ExpiresAt - _nearlyOver < DateTimeOffset.UtcNow && await RenewAsync(cancellation);
        while (true)
        {
            HttpResponseMessage response = await GuardedAsync(() =>
            {
                HttpRequestMessage request = new(method, path) { Content = body is null ? null : JsonContent.Create(body) };
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _context.AccessToken);
                request.Headers.Range = range;
                return _client.SendAsync(request, completion, cancellation);
            }, cancellation);
            if (response.IsSuccessStatusCode)
            {
                return response;
            }
            using (response)
            {
                if (response.StatusCode == HttpStatusCode.Unauthorized && !isRenewed && await RenewAsync(cancellation))
                {
                    isRenewed = true;
                    continue;
                }
                throw await ApiProblem.ReadAsync(response, _context.Url, cancellation);
            }
        }
    }

    private async Task<bool> RenewAsync(CancellationToken cancellation)
    {
        if (_context.RefreshToken is null)
        {
            return false;
        }
        using HttpResponseMessage response = await AnonymousAsync("/api/auth/refresh", new Dictionary<string, string>(StringComparer.Ordinal) { ["refresh_token"] = _context.RefreshToken }, cancellation);
        if (!response.IsSuccessStatusCode)
        {
            return false;
        }
        TakeTokens(await response.Content.ReadFromJsonAsync<JsonElement>(cancellation), null, makeCurrent: false);
        return true;
    }

    private async Task<HttpResponseMessage> GuardedAsync(Func<Task<HttpResponseMessage>> ask, CancellationToken cancellation)
    {
        try
        {
            return await ask();
        }
        catch (HttpRequestException failure) when (failure.HttpRequestError == HttpRequestError.SecureConnectionError && _pin.Shown is { } shown)
        {
            throw new UsageException(_context.Fingerprint is null
                ? $"{_context.Url} shows a certificate that this system does not trust, SHA-256 {shown}: if that is the one the controller printed, log in with --fingerprint {shown}"
                : $"{_context.Url} shows another certificate than the one that is pinned, SHA-256 {shown}: if the controller has a new one, log in again with --fingerprint; else somebody is in between");
        }
        catch (Exception failure) when (failure is HttpRequestException || (failure is TaskCanceledException && !cancellation.IsCancellationRequested))
        {
            throw new UsageException($"no controller answers at {_context.Url}: {(failure.InnerException ?? failure).Message.ReplaceLineEndings(" ")}");
        }
    }
}
