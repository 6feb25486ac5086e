using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Controller.Api;

/// <summary>What the API answers to good and to bad requests.</summary>
public sealed class ApiTests
{
    [Theory]
    [InlineData("""{"name":"x","colour":"red"}""", "colour")]
    [InlineData("""{"mode":"fast"}""", "mode")]
    [InlineData("""{"limits":{"packets":-1}}""", "limits.packets")]
    [InlineData("""{"limits":{"packets":"many"}}""", "limits.packets")]
    [InlineData("""{"snap_bytes":64}""", "snap_bytes")]
    [InlineData("""{"name":null,"filter":null}""", "filter")]
    [InlineData("""{"nodes":{"names":[1]}}""", "nodes.names[0]")]
    [InlineData("{", null)]
    [InlineData("null", null)]
    [InlineData("[]", null)]
    public async Task A_wrong_session_is_answered_with_the_field_that_is_wrong(string body, string? field)
    {
        await using ApiRig rig = await ApiRig.StartAsync();

        (string? said, string detail) = await ApiRig.ProblemAsync(await rig.SendAsync(HttpMethod.Post, "/api/sessions", rig.AdminToken, body), HttpStatusCode.BadRequest);

        Assert.Equal(field, said);
        Assert.NotEmpty(detail);
        Assert.Empty((await rig.ReadAsync("/api/sessions")).GetProperty("sessions").EnumerateArray());
    }

    [Fact]
    public async Task Wrong_parameters_are_refused_by_name()
    {
        await using ApiRig rig = await ApiRig.StartAsync();
        string id = await SessionAsync(rig);
        foreach ((string query, string field) in new[] { ("hots=10.0.0.1", "hots"), ("host=me", "host"), ("port=http", "port"), ("limit=0", "limit"), ("limit=1001", "limit"), ("cursor=there", "cursor"), ("order=random", "order"), ("from=now", "from"), ("complete=maybe", "complete") })
        {
            (string? said, _) = await ApiRig.ProblemAsync(await rig.GetAsync($"/api/sessions/{id}/traces?{query}"), HttpStatusCode.BadRequest);
            Assert.Equal(field, said);
        }
        (string? unknown, _) = await ApiRig.ProblemAsync(await rig.GetAsync("/api/nodes?limit=1"), HttpStatusCode.BadRequest);
        Assert.Equal("limit", unknown);
    }

    [Fact]
    public async Task Ids_that_want_to_be_something_else_are_only_not_found()
    {
        await using ApiRig rig = await ApiRig.StartAsync();
        string id = await SessionAsync(rig);
        foreach (string text in new[] { "..%2f..%2fetc%2fpasswd", "'%20OR%201=1--", "%00", "a%0d%0ab", new string('x', 4000), "%F0%9F%90%A7" })
        {
            foreach (string path in new[] { $"/api/sessions/{text}", $"/api/sessions/{text}/export", $"/api/sessions/{id}/traces/{text}", $"/api/nodes/{text}", $"/api/users/{text}" })
            {
                HttpStatusCode status = (await rig.GetAsync(path)).StatusCode;
                Assert.True(status is HttpStatusCode.NotFound or HttpStatusCode.BadRequest, $"{path}: {status}");
            }
        }
        Assert.Single((await rig.ReadAsync("/api/sessions")).GetProperty("sessions").EnumerateArray());
    }

    [Fact]
    public async Task Too_large_a_body_and_another_media_type_are_refused()
    {
        await using ApiRig rig = await ApiRig.StartAsync();

        await ApiRig.ProblemAsync(await rig.SendAsync(HttpMethod.Post, "/api/sessions", rig.AdminToken, "{\"name\":\"" + new string('x', 2 << 20) + "\"}"), HttpStatusCode.RequestEntityTooLarge);
        using StringContent form = new("name=x", Encoding.UTF8, "application/x-www-form-urlencoded");
        using HttpRequestMessage request = new(HttpMethod.Post, "/api/sessions") { Content = form };
        request.Headers.Authorization = new("Bearer", rig.AdminToken);
        await ApiRig.ProblemAsync(await rig.Http.SendAsync(request, TestContext.Current.CancellationToken), HttpStatusCode.UnsupportedMediaType);
    }

    [Fact]
    public async Task A_session_that_the_caller_has_already_is_not_sent_again()
    {
        await using ApiRig rig = await ApiRig.StartAsync();
        string id = await SessionAsync(rig);
        HttpResponseMessage first = await rig.GetAsync($"/api/sessions/{id}");
        string tag = first.Headers.ETag!.Tag;

        using HttpResponseMessage again = await rig.SendAsync(HttpMethod.Get, $"/api/sessions/{id}", rig.AdminToken, null, headers => headers.TryAddWithoutValidation("If-None-Match", tag));
        Assert.Equal(HttpStatusCode.NotModified, again.StatusCode);
        await ApiRig.JsonAsync(await rig.SendAsync(HttpMethod.Patch, $"/api/sessions/{id}", rig.AdminToken, new { filter = "icmp" }));
        using HttpResponseMessage changed = await rig.SendAsync(HttpMethod.Get, $"/api/sessions/{id}", rig.AdminToken, null, headers => headers.TryAddWithoutValidation("If-None-Match", tag));
        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
    }

    [Fact]
    public async Task Sessions_come_in_pages_none_twice()
    {
        await using ApiRig rig = await ApiRig.StartAsync();
        List<string> made = [];
        for (int i = 0; i < 5; i++)
        {
            made.Add(await SessionAsync(rig));
        }
        List<string> read = [];
        string? next = null;
        do
        {
            JsonElement page = await rig.ReadAsync($"/api/sessions?limit=2{(next is null ? "" : $"&cursor={next}")}");
            read.AddRange(page.GetProperty("sessions").EnumerateArray().Select(session => ApiRig.Text(session, "id")));
            next = page.GetProperty("next").GetString();
        }
        while (next is not null);

        Assert.Equal(made.Order(StringComparer.Ordinal), read.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_download_that_broke_off_goes_on_with_the_same_bytes()
    {
        await using ApiRig rig = await ApiRig.StartAsync();
        string id = await SessionAsync(rig);
        HttpResponseMessage whole = await rig.GetAsync($"/api/sessions/{id}/export");
        byte[] bytes = await whole.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);

        using HttpResponseMessage rest = await rig.SendAsync(HttpMethod.Get, $"/api/sessions/{id}/export", rig.AdminToken, null, headers => headers.Range = new(10, null));

        Assert.Equal(HttpStatusCode.PartialContent, rest.StatusCode);
        Assert.Equal(bytes[10..], await rest.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        Assert.Matches($"^trace_full_{id}_[0-9]{{8}}_[0-9]{{6}}[.]json$", whole.Content.Headers.ContentDisposition!.FileName!.Trim('"'));
        using TempDirectory directory = new();
        string file = directory.File("export.json");
        await File.WriteAllBytesAsync(file, bytes, TestContext.Current.CancellationToken);
        Assert.Empty(ExportSchema.Validate(file));
    }

    [Fact]
    public async Task A_purged_session_is_gone_with_its_export()
    {
        await using ApiRig rig = await ApiRig.StartAsync();
        string id = await SessionAsync(rig);
        await rig.GetAsync($"/api/sessions/{id}/export");
        string exports = Path.Combine(rig.Controller.StateDirectory, "exports");
        Assert.Single(Directory.EnumerateFiles(exports));

        await ApiRig.ProblemAsync(await rig.SendAsync(HttpMethod.Delete, $"/api/sessions/{id}?purge=true", rig.AdminToken, null), HttpStatusCode.Conflict);
        Assert.Equal(HttpStatusCode.OK, (await rig.SendAsync(HttpMethod.Delete, $"/api/sessions/{id}", rig.AdminToken, null)).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await rig.SendAsync(HttpMethod.Delete, $"/api/sessions/{id}?purge=true", rig.AdminToken, null)).StatusCode);

        Assert.Empty(Directory.EnumerateFiles(exports));
        await ApiRig.ProblemAsync(await rig.GetAsync($"/api/sessions/{id}"), HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Whoever_sends_its_request_a_byte_at_a_time_is_hung_up_on()
    {
        await using ApiRig rig = await ApiRig.StartAsync();
        using TcpClient slow = new();
        await slow.ConnectAsync(IPAddress.Loopback, rig.Controller.Host.WebPort, TestContext.Current.CancellationToken);
        await using SslStream tls = new(slow.GetStream(), false, (_, _, _, _) => true);
        await tls.AuthenticateAsClientAsync("localhost");
        await tls.WriteAsync(Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: x\r\nX: "), TestContext.Current.CancellationToken);
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(60));
        byte[] buffer = new byte[4096];
        StringBuilder answer = new();
        int read;
        while ((read = await tls.ReadAsync(buffer, patience.Token)) > 0)
        {
            answer.Append(Encoding.ASCII.GetString(buffer, 0, read));
        }

        Assert.True(answer.Length == 0 || answer.ToString().StartsWith("HTTP/1.1 408", StringComparison.Ordinal), answer.ToString());
    }

    private static async Task<string> SessionAsync(ApiRig rig) =>
        ApiRig.Text(await ApiRig.JsonAsync(await rig.SendAsync(HttpMethod.Post, "/api/sessions", rig.AdminToken, new { name = "test" })), "id");
}
