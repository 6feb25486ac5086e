using System.Net;
using Microsoft.AspNetCore.Routing;

namespace NftCluster.Tests.Controller.Api;

/// <summary>Every endpoint of the web port × every role. A new endpoint without a row here fails.</summary>
public sealed class RolesTests
{
    private const string Anybody = "anybody";
    private const string SignedIn = "signed-in";
    private const string Viewer = "viewer";
    private const string Operator = "operator";
    private const string Admin = "admin";

    private static readonly (string Endpoint, string Least)[] _rows =
    [
        ("GET /", Anybody),
        ("GET /health/live", Anybody),
        ("GET /health/ready", Anybody),
        ("GET /api/openapi.json", Anybody),
        ("GET /api/ws", Anybody), // asks for its token itself: LiveSocketTests
        ("GET /metrics", Anybody), // from this host
        ("POST /api/auth/login", Anybody),
        ("POST /api/auth/refresh", Anybody),
        ("POST /api/auth/logout", Anybody),
        ("GET /api/auth/me", SignedIn),
        ("POST /api/auth/password", SignedIn),
        ("GET /api/users", Admin),
        ("POST /api/users", Admin),
        ("GET /api/users/{id}", Admin),
        ("PATCH /api/users/{id}", Admin),
        ("DELETE /api/users/{id}", Admin),
        ("GET /api/sessions", Viewer),
        ("POST /api/sessions", Operator),
        ("GET /api/sessions/{id}", Viewer),
        ("PATCH /api/sessions/{id}", Operator),
        ("DELETE /api/sessions/{id}", Operator),
        ("POST /api/sessions/{id}/pause", Operator),
        ("POST /api/sessions/{id}/resume", Operator),
        ("POST /api/sessions/{id}/stop", Operator),
        ("GET /api/sessions/{id}/stats", Viewer),
        ("GET /api/sessions/{id}/traces", Viewer),
        ("GET /api/sessions/{id}/traces/{trace}", Viewer),
        ("GET /api/sessions/{id}/traces/{trace}/pcapng", Viewer),
        ("GET /api/sessions/{id}/losses", Viewer),
        ("GET /api/sessions/{id}/export", Viewer),
        ("GET /api/sessions/{id}/exports", Viewer),
        ("GET /api/sessions/{id}/exports/{name}", Viewer),
        ("GET /api/sessions/{id}/journeys", Viewer),
        ("GET /api/sessions/{id}/paths", Viewer),
        ("GET /api/journeys", Viewer),
        ("GET /api/journeys/{id}", Viewer),
        ("GET /api/journeys/{id}/pcapng", Viewer),
        ("GET /api/nodes", Viewer),
        ("GET /api/nodes/{id}", Viewer),
        ("POST /api/nodes/{id}/revoke", Admin),
        ("GET /api/nodes/{id}/probes", Viewer),
        ("GET /api/nodes/{id}/ruleset", Viewer),
        ("POST /api/nodes/{id}/rules", Admin),
        ("POST /api/join-tokens", Admin),
        ("GET /api/service-tokens", Admin),
        ("POST /api/service-tokens", Admin),
        ("DELETE /api/service-tokens/{id}", Admin),
        ("GET /api/audit", Admin),
    ];

    [Fact]
    public async Task Every_endpoint_has_a_row()
    {
        await using ApiRig rig = await ApiRig.FreshAsync();

        IEnumerable<string> there = rig.Controller.Host.WebEndpoints.OfType<RouteEndpoint>()
            .SelectMany(endpoint => (endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? []).Select(method => $"{method} {endpoint.RoutePattern.RawText}"));

        Assert.Equal(_rows.Select(row => row.Endpoint).Order(StringComparer.Ordinal), there.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Nobody_passes_an_endpoint_that_needs_another_role()
    {
        await using ApiRig rig = await ApiRig.StartAsync();
        string first = ApiRig.Text(await FirstLoginAsync(rig), "access_token");
        List<string> wrong = [];
        foreach ((string endpoint, string least) in _rows)
        {
            (string method, string path) = endpoint.Split(' ') is [var verb, var pattern] ? (verb, pattern.Replace("{id}", "none", StringComparison.Ordinal).Replace("{trace}", "none", StringComparison.Ordinal).Replace("{name}", "none", StringComparison.Ordinal)) : default;
            foreach ((string caller, string? token) in new[] { ("nobody", null), ("first login", first), (Viewer, await rig.TokenOfAsync(Viewer)), (Operator, await rig.TokenOfAsync(Operator)), (Admin, (string?)rig.AdminToken) })
            {
                if (path == "/api/auth/password" || (path.StartsWith("/api/auth/", StringComparison.Ordinal) && method == "POST"))
                {
                    continue; // bodies that log in: AuthTests
                }
                using HttpResponseMessage response = await rig.SendAsync(new HttpMethod(method), path, token, method is "POST" or "PATCH" ? "{ }" : null);
                bool passed = response.StatusCode is not (HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden);
                if (passed != MayPass(caller, least))
                {
                    wrong.Add($"{endpoint} as {caller}: {(int)response.StatusCode}");
                }
            }
        }

        Assert.Empty(wrong);
    }

    [Fact]
    public async Task Only_its_owner_and_admins_change_a_session()
    {
        await using ApiRig rig = await ApiRig.StartAsync();
        string id = ApiRig.Text(await ApiRig.JsonAsync(await rig.SendAsync(HttpMethod.Post, "/api/sessions", rig.AdminToken, new { name = "of the admin" })), "id");
        string own = ApiRig.Text(await ApiRig.JsonAsync(await rig.SendAsync(HttpMethod.Post, "/api/sessions", await rig.TokenOfAsync(Operator), new { name = "own" })), "id");

        foreach (HttpMethod method in new[] { HttpMethod.Patch, HttpMethod.Delete })
        {
            await ApiRig.ProblemAsync(await rig.SendAsync(method, $"/api/sessions/{id}", await rig.TokenOfAsync(Operator), method == HttpMethod.Patch ? new { filter = "icmp" } : null), HttpStatusCode.Forbidden);
        }
        Assert.Equal("icmp", ApiRig.Text((await ApiRig.JsonAsync(await rig.SendAsync(HttpMethod.Patch, $"/api/sessions/{own}", await rig.TokenOfAsync(Operator), new { filter = "icmp" }))).GetProperty("request"), "filter"));
        await ApiRig.JsonAsync(await rig.SendAsync(HttpMethod.Post, $"/api/sessions/{own}/pause", rig.AdminToken, null));
    }

    private static bool MayPass(string caller, string least) => least switch
    {
        Anybody => true,
        SignedIn => caller != "nobody",
        _ => Array.IndexOf([Viewer, Operator, Admin], caller) >= Array.IndexOf([Viewer, Operator, Admin], least),
    };

    private static async Task<System.Text.Json.JsonElement> FirstLoginAsync(ApiRig rig)
    {
        await ApiRig.JsonAsync(await rig.SendAsync(HttpMethod.Post, "/api/users", rig.AdminToken, new { username = "new", password = "somebody-elses-choice", role = Admin }));
        return await rig.LoginAsync("new", "somebody-elses-choice");
    }
}
