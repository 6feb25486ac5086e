using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Time.Testing;
using NftCluster.Controller.Auth;
using NftCluster.Controller.Storage;
using NftCluster.Tests.Controller.Api;

namespace NftCluster.Tests.Controller.Auth;

/// <summary>Who gets in, and above all who does not.</summary>
public sealed class AuthTests
{
    [Fact]
    public async Task The_first_start_makes_one_admin_who_may_do_nothing_before_choosing_a_password()
    {
        await using ApiRig rig = await ApiRig.FreshAsync();
        JsonElement login = await rig.LoginAsync("admin", rig.Controller.Host.FirstPassword!);
        string token = ApiRig.Text(login, "access_token");

        Assert.Equal((true, "Bearer", 86_400), (login.GetProperty("first_login").GetBoolean(), ApiRig.Text(login, "token_type"), login.GetProperty("expires_in").GetInt64()));
        (_, string detail) = await ApiRig.ProblemAsync(await rig.GetAsync("/api/sessions", token), HttpStatusCode.Forbidden);
        Assert.Contains("password of your own", detail, StringComparison.Ordinal);
        JsonElement changed = await ApiRig.JsonAsync(await rig.SendAsync(HttpMethod.Post, "/api/auth/password", token, new { current_password = rig.Controller.Host.FirstPassword, new_password = ApiRig.Password }));
        await ApiRig.JsonAsync(await rig.GetAsync("/api/sessions", ApiRig.Text(changed, "access_token")));
        Assert.Equal(HttpStatusCode.Unauthorized, (await rig.GetAsync("/api/auth/me", token)).StatusCode);

        await rig.Controller.RestartAsync();
        Assert.Null(rig.Controller.Host.FirstPassword);
    }

    [Fact]
    public async Task A_token_that_was_touched_or_made_by_somebody_else_is_refused()
    {
        await using ApiRig rig = await ApiRig.StartAsync();
        string[] parts = rig.AdminToken.Split('.');
        string unsigned = $"{Part("""{"alg":"none","typ":"at+jwt"}""")}.{parts[1]}.";
        string otherType = $"{Part(Head(parts[0], "typ", "JWT"))}.{parts[1]}.{parts[2]}";
        string otherKey = $"{Part(Head(parts[0], "kid", "another"))}.{parts[1]}.{parts[2]}";
        string[] attacks = [unsigned, otherType, otherKey, $"{parts[0]}.{parts[1]}.{Flipped(parts[2])}", $"{parts[0]}.{Part(Claims(parts[1]))}.{parts[2]}", "", "x", $"{parts[0]}.{parts[1]}", "NFS1.unknown"];
        foreach (string token in attacks)
        {
            await ApiRig.ProblemAsync(await rig.SendAsync(HttpMethod.Get, "/api/auth/me", token, null), HttpStatusCode.Unauthorized);
        }
        await ApiRig.ProblemAsync(await rig.SendAsync(HttpMethod.Get, "/api/auth/me", null, null), HttpStatusCode.Unauthorized);
        await ApiRig.JsonAsync(await rig.GetAsync("/api/auth/me"));
    }

    [Fact]
    public async Task A_refresh_token_is_no_access_token_and_used_twice_it_ends_its_family()
    {
        await using ApiRig rig = await ApiRig.StartAsync();
        string first = ApiRig.Text(await rig.LoginAsync("admin", ApiRig.Password), "refresh_token");

        await ApiRig.ProblemAsync(await rig.GetAsync("/api/auth/me", first), HttpStatusCode.Unauthorized);
        JsonElement renewed = await ApiRig.JsonAsync(await RefreshAsync(rig, first));
        await ApiRig.JsonAsync(await rig.GetAsync("/api/auth/me", ApiRig.Text(renewed, "access_token")));
        string second = ApiRig.Text(renewed, "refresh_token");
        await ApiRig.ProblemAsync(await RefreshAsync(rig, first), HttpStatusCode.Unauthorized);
        await ApiRig.ProblemAsync(await RefreshAsync(rig, second), HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Logging_out_ends_the_refresh_tokens()
    {
        await using ApiRig rig = await ApiRig.StartAsync();
        string token = ApiRig.Text(await rig.LoginAsync("admin", ApiRig.Password), "refresh_token");

        Assert.Equal(HttpStatusCode.NoContent, (await rig.SendAsync(HttpMethod.Post, "/api/auth/logout", null, new { refresh_token = token })).StatusCode);

        await ApiRig.ProblemAsync(await RefreshAsync(rig, token), HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task An_access_token_is_over_after_its_time_and_keys_rotate_under_valid_ones()
    {
        FakeTimeProvider time = new(DateTimeOffset.UtcNow);
        await using ApiRig rig = await ApiRig.StartAsync(time);
        var database = Database.Open(rig.Controller.StateDirectory);
        string before = KidOf(rig.AdminToken);

        time.Advance(SigningKeys.SignsFor - TimeSpan.FromHours(12));
        string old = ApiRig.Text(await rig.LoginAsync("admin", ApiRig.Password), "access_token");
        time.Advance(TimeSpan.FromHours(13));
        string young = ApiRig.Text(await rig.LoginAsync("admin", ApiRig.Password), "access_token");

        Assert.Equal(before, KidOf(old));
        Assert.NotEqual(before, KidOf(young), StringComparer.Ordinal);
        await ApiRig.JsonAsync(await rig.GetAsync("/api/auth/me", old));
        await ApiRig.JsonAsync(await rig.GetAsync("/api/auth/me", young));
        await ApiRig.ProblemAsync(await rig.GetAsync("/api/auth/me", rig.AdminToken), HttpStatusCode.Unauthorized);
        time.Advance(TimeSpan.FromHours(12));
        await ApiRig.ProblemAsync(await rig.GetAsync("/api/auth/me", old), HttpStatusCode.Unauthorized);
        Assert.Equal(2, Count(database, "signing_keys"));
    }

    [Fact]
    public async Task Whoever_is_closed_out_or_gets_another_role_is_so_at_once()
    {
        await using ApiRig rig = await ApiRig.StartAsync();
        string token = await rig.TokenOfAsync("operator");
        string id = ApiRig.Text(await ApiRig.JsonAsync(await rig.GetAsync("/api/auth/me", token)), "id");

        await ApiRig.JsonAsync(await rig.SendAsync(HttpMethod.Patch, $"/api/users/{id}", rig.AdminToken, new { is_active = false }));

        await ApiRig.ProblemAsync(await rig.GetAsync("/api/sessions", token), HttpStatusCode.Unauthorized);
        await ApiRig.ProblemAsync(await rig.TryLoginAsync("operator", ApiRig.Password), HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task The_last_admin_stays()
    {
        await using ApiRig rig = await ApiRig.StartAsync();
        string id = ApiRig.Text(await rig.ReadAsync("/api/auth/me"), "id");

        await ApiRig.ProblemAsync(await rig.SendAsync(HttpMethod.Delete, $"/api/users/{id}", rig.AdminToken, null), HttpStatusCode.Conflict);
        await ApiRig.ProblemAsync(await rig.SendAsync(HttpMethod.Patch, $"/api/users/{id}", rig.AdminToken, new { role = "viewer" }), HttpStatusCode.Conflict);
        await ApiRig.ProblemAsync(await rig.SendAsync(HttpMethod.Patch, $"/api/users/{id}", rig.AdminToken, new { is_active = false }), HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task Nobody_learns_which_users_there_are()
    {
        await using ApiRig rig = await ApiRig.StartAsync();

        (_, string wrong) = await ApiRig.ProblemAsync(await rig.TryLoginAsync("admin", "wrong"), HttpStatusCode.Unauthorized);
        (_, string unknown) = await ApiRig.ProblemAsync(await rig.TryLoginAsync("nobody", "wrong"), HttpStatusCode.Unauthorized);

        Assert.Equal(wrong, unknown);
    }

    [Fact]
    public async Task A_thousand_wrong_passwords_open_nothing_and_are_soon_not_even_looked_at()
    {
        await using ApiRig rig = await ApiRig.StartAsync();
        Dictionary<HttpStatusCode, int> answers = [];
        for (int i = 0; i < 1_000; i++)
        {
            using HttpResponseMessage response = await rig.TryLoginAsync("admin", $"guess {i}");
            answers[response.StatusCode] = answers.GetValueOrDefault(response.StatusCode) + 1;
        }

        Assert.Equal([HttpStatusCode.Unauthorized, HttpStatusCode.TooManyRequests], answers.Keys.Order());
        Assert.InRange(answers[HttpStatusCode.Unauthorized], 1, 60);
        Account admin = new Accounts(Database.Open(rig.Controller.StateDirectory), TimeProvider.System).FindByName("admin")!;
        Assert.True(admin.LockedUntilNs > 0);
    }

    [Fact]
    public async Task A_service_token_works_with_its_role_until_it_is_removed()
    {
        await using ApiRig rig = await ApiRig.StartAsync();
        JsonElement made = await ApiRig.JsonAsync(await rig.SendAsync(HttpMethod.Post, "/api/service-tokens", rig.AdminToken, new { name = "ci", role = "viewer" }));
        string secret = ApiRig.Text(made, "secret");

        await ApiRig.JsonAsync(await rig.GetAsync("/api/sessions", secret));
        await ApiRig.ProblemAsync(await rig.SendAsync(HttpMethod.Post, "/api/sessions", secret, new { name = "x" }), HttpStatusCode.Forbidden);
        Assert.DoesNotContain(secret, (await rig.ReadAsync("/api/service-tokens")).GetRawText(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NoContent, (await rig.SendAsync(HttpMethod.Delete, $"/api/service-tokens/{ApiRig.Text(made.GetProperty("service_token"), "id")}", rig.AdminToken, null)).StatusCode);
        await ApiRig.ProblemAsync(await rig.GetAsync("/api/sessions", secret), HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task What_was_tried_stands_in_the_audit_log_which_nobody_edits()
    {
        await using ApiRig rig = await ApiRig.StartAsync();
        await rig.TryLoginAsync("mallory", "guess");
        await rig.SendAsync(HttpMethod.Post, "/api/sessions", await rig.TokenOfAsync("viewer"), new { name = "x" });

        JsonElement[] entries = [.. (await rig.ReadAsync("/api/audit?limit=100")).GetProperty("entries").EnumerateArray()];

        Assert.Contains(entries, entry => (ApiRig.Text(entry, "who"), ApiRig.Text(entry, "action"), entry.GetProperty("status").GetInt32(), ApiRig.Text(entry, "remote")) == ("mallory", "POST /api/auth/login", 401, "127.0.0.1"));
        Assert.Contains(entries, entry => (ApiRig.Text(entry, "who"), ApiRig.Text(entry, "action"), entry.GetProperty("status").GetInt32()) == ("viewer", "POST /api/sessions", 403));
        Assert.DoesNotContain("guess", string.Concat(entries.Select(entry => entry.GetRawText())), StringComparison.Ordinal);
        using SqliteConnection connection = Database.Open(rig.Controller.StateDirectory).Connect();
        foreach (string edit in new[] { "UPDATE audit SET who = 'nobody'", "DELETE FROM audit" })
        {
            using SqliteCommand command = connection.Command(edit);
            Assert.Throws<SqliteException>(() => command.ExecuteNonQuery());
        }
    }

    [Fact]
    public async Task No_secret_is_stored_as_it_is()
    {
        await using ApiRig rig = await ApiRig.StartAsync();
        string refresh = ApiRig.Text(await rig.LoginAsync("admin", ApiRig.Password), "refresh_token");
        string service = ApiRig.Text(await ApiRig.JsonAsync(await rig.SendAsync(HttpMethod.Post, "/api/service-tokens", rig.AdminToken, new { name = "ci" })), "secret");

        string stored = string.Concat(Directory.EnumerateFiles(rig.Controller.StateDirectory, "controller.db*").Select(file => Encoding.Latin1.GetString(ReadShared(file))));

        foreach (string secret in new[] { ApiRig.Password, refresh, service, rig.AdminToken })
        {
            Assert.DoesNotContain(secret, stored, StringComparison.Ordinal);
        }
    }

    private static Task<HttpResponseMessage> RefreshAsync(ApiRig rig, string token) => rig.SendAsync(HttpMethod.Post, "/api/auth/refresh", null, new { refresh_token = token });

    private static byte[] ReadShared(string file)
    {
        using FileStream stream = new(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using MemoryStream bytes = new();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }

    private static long Count(Database database, string table)
    {
        using SqliteConnection connection = database.Connect();
        using SqliteCommand ask = connection.Command($"SELECT count(*) FROM {table}");
        return (long)ask.ExecuteScalar()!;
    }

    private static string Part(string json) => System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));

    private static JsonObject Decoded(string part) => JsonNode.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(part))!.AsObject();

    private static string Head(string part, string name, string value)
    {
        JsonObject head = Decoded(part);
        head[name] = value;
        return head.ToJsonString();
    }

    private static string Claims(string part)
    {
        JsonObject claims = Decoded(part);
        claims["exp"] = claims["exp"]!.GetValue<long>() + 1;
        return claims.ToJsonString();
    }

    private static string KidOf(string token) => Decoded(token.Split('.')[0])["kid"]!.GetValue<string>();

    private static string Flipped(string signature) => (signature[0] == 'A' ? 'B' : 'A') + signature[1..];
}
