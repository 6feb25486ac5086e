using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Security;
using System.Text;
using System.Text.Json;
using NftCluster.Tests.Controller.Cluster;

namespace NftCluster.Tests.Controller.Api;

/// <summary>The web port of a whole controller, and users of each role who have passwords of their own.</summary>
internal sealed class ApiRig : IAsyncDisposable
{
    public const string Password = "a-password-of-its-own";

    private readonly HttpClient _client;
    private readonly Dictionary<string, string> _tokens = new(StringComparer.Ordinal);

    private ApiRig(RunningController controller)
    {
        Controller = controller;
        _client = new HttpClient(new SocketsHttpHandler { SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, _, _, _) => true } })
        {
            BaseAddress = new Uri($"https://127.0.0.1:{controller.Host.WebPort}"),
        };
    }

    public RunningController Controller { get; }

    public HttpClient Http => _client;

    public string AdminToken => _tokens["admin"];

    /// <summary>With the first admin as it is after the first start.</summary>
    public static async Task<ApiRig> FreshAsync(TimeProvider? time = null) => new(await RunningController.StartAsync(time: time));

    /// <summary>With an admin who has chosen a password.</summary>
    public static async Task<ApiRig> StartAsync(TimeProvider? time = null)
    {
        ApiRig rig = await FreshAsync(time);
        JsonElement login = await rig.LoginAsync("admin", rig.Controller.Host.FirstPassword!);
        JsonElement changed = await JsonAsync(await rig.SendAsync(HttpMethod.Post, "/api/auth/password", Text(login, "access_token"), new { current_password = rig.Controller.Host.FirstPassword, new_password = Password }));
        rig._tokens["admin"] = Text(changed, "access_token");
        return rig;
    }

    /// <summary>An access token of a user with this role; made at the first call.</summary>
    public async Task<string> TokenOfAsync(string role)
    {
        if (!_tokens.TryGetValue(role, out string? token))
        {
            const string First = "the-first-password";
            await JsonAsync(await SendAsync(HttpMethod.Post, "/api/users", AdminToken, new { username = role, password = First, role }));
            JsonElement login = await LoginAsync(role, First);
            JsonElement changed = await JsonAsync(await SendAsync(HttpMethod.Post, "/api/auth/password", Text(login, "access_token"), new { current_password = First, new_password = Password }));
            _tokens[role] = token = Text(changed, "access_token");
        }
        return token;
    }

    public async Task<JsonElement> LoginAsync(string username, string password) => await JsonAsync(await TryLoginAsync(username, password));

    public Task<HttpResponseMessage> TryLoginAsync(string username, string password) => SendAsync(HttpMethod.Post, "/api/auth/login", null, new { username, password });

    public Task<HttpResponseMessage> GetAsync(string path, string? token = null) => SendAsync(HttpMethod.Get, path, token ?? AdminToken, null);

    public async Task<JsonElement> ReadAsync(string path) => await JsonAsync(await GetAsync(path));

    public Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? token, object? body, Action<HttpRequestHeaders>? headers = null)
    {
        HttpRequestMessage request = new(method, path)
        {
            Content = body switch { null => null, string text => new StringContent(text, Encoding.UTF8, "application/json"), _ => JsonContent.Create(body) },
        };
        request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        headers?.Invoke(request.Headers);
        return _client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    /// <summary>The body of an answer that is good.</summary>
    public static async Task<JsonElement> JsonAsync(HttpResponseMessage response)
    {
        string text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, $"{(int)response.StatusCode}: {text}");
        using var document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }

    /// <summary>Field and detail of a refusal with this status.</summary>
    public static async Task<(string? Field, string Detail)> ProblemAsync(HttpResponseMessage response, HttpStatusCode status)
    {
        string text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.StatusCode == status, $"{(int)response.StatusCode}: {text}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        using var document = JsonDocument.Parse(text);
        Assert.Equal((int)status, document.RootElement.GetProperty("status").GetInt32());
        return (document.RootElement.TryGetProperty("field", out JsonElement field) ? field.GetString() : null, Text(document.RootElement, "detail"));
    }

    public static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return Controller.DisposeAsync();
    }
}
