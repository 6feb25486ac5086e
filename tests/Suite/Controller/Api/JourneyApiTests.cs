using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using NftCluster.Controller.Stitching;
using NftCluster.Controller.Storage;
using NftCluster.Messages;
using NftCluster.Messages.Link;
using NftCluster.TestKit;
using NftCluster.Tests.Controller.Stitching;
using NftCluster.Tests.Controller.Storage;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Controller.Api;

/// <summary>Journeys over HTTP, in the export, as a capture file and live, of traces that are stored as nodes send them.</summary>
public sealed class JourneyApiTests
{
    private const long Start = 1_767_225_600_000_000_000;

    [Fact]
    public async Task Journeys_of_all_sessions_come_in_one_list_and_in_pages_none_twice()
    {
        await using ApiRig rig = await ApiRig.StartAsync();
        (string first, string second) = (await SessionAsync(rig, "one"), await SessionAsync(rig, "two"));
        Store(rig, "n1", first, [.. Enumerable.Range(0, 5).Select(i => At(Start + i * 2_000_000, i))]);
        Store(rig, "n2", second, [.. Enumerable.Range(0, 5).Select(i => At(Start + 1_000_000 + i * 2_000_000, 100 + i))]);

        List<string> seen = [];
        string? next = null;
        do
        {
            JsonElement page = await rig.ReadAsync($"/api/journeys?limit=3{(next is null ? "" : $"&cursor={next}")}");
            seen.AddRange(page.GetProperty("journeys").EnumerateArray().Select(journey => ApiRig.Text(journey, "first_seen")));
            next = page.GetProperty("next").GetString();
        }
        while (next is not null);

        Assert.Equal(10, seen.Count);
        Assert.Equal(seen.OrderDescending(StringComparer.Ordinal).Distinct(StringComparer.Ordinal), seen, StringComparer.Ordinal);
        Assert.Equal(5, (await rig.ReadAsync("/api/journeys?session=two")).GetProperty("journeys").GetArrayLength());
        Assert.Equal("session", (await ApiRig.ProblemAsync(await rig.GetAsync("/api/journeys?session=three"), HttpStatusCode.BadRequest)).Field);
    }

    [Theory]
    [InlineData("latency_over_ns=-1", "latency_over_ns")]
    [InlineData("join=sure", "join")]
    [InlineData("whole=maybe", "whole")]
    [InlineData("cursor=x", "cursor")]
    public async Task What_is_no_value_is_named(string query, string field)
    {
        await using ApiRig rig = await ApiRig.StartAsync();

        Assert.Equal(field, (await ApiRig.ProblemAsync(await rig.GetAsync($"/api/journeys?{query}"), HttpStatusCode.BadRequest)).Field);
    }

    [Fact]
    public async Task The_export_holds_each_journey_as_its_schema_says()
    {
        await using ApiRig rig = await ApiRig.StartAsync();
        string id = await SessionAsync(rig, "one");
        Store(rig, "0123456789abcdef", id, At(Start, 1), At(Start + 1_000_000, 2));
        using TempDirectory directory = new();
        string file = directory.File("export.json");
        await File.WriteAllBytesAsync(file, await (await rig.GetAsync($"/api/sessions/{id}/export")).Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken), TestContext.Current.CancellationToken);

        Assert.Empty(ExportSchema.Validate(file));
        using var document = JsonDocument.Parse(await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken));
        Assert.Equal(2, document.RootElement.GetProperty("journeys").GetArrayLength());
        Assert.Equal(2, document.RootElement.GetProperty("traces").GetArrayLength());
    }

    [Theory]
    [InlineData("/api/sessions/{0}/export?format=pcapng")]
    [InlineData("/api/sessions/{0}/traces/{1}/pcapng")]
    [InlineData("/api/journeys/{1}/pcapng")]
    public async Task A_session_a_trace_and_a_journey_come_as_a_capture_file(string path)
    {
        await using ApiRig rig = await ApiRig.StartAsync();
        string id = await SessionAsync(rig, "one");
        Store(rig, "n1", id, At(Start, 1));
        string trace = ApiRig.Text((await rig.ReadAsync($"/api/sessions/{id}/traces")).GetProperty("traces")[0], "id");

        using HttpResponseMessage response = await rig.GetAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, path, id, trace));
        byte[] bytes = await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);

        Assert.Equal("application/x-pcapng", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal([0x0a, 0x0d, 0x0d, 0x0a], bytes[..4]);
        Assert.Contains("node n1, forwarded", Encoding.UTF8.GetString(bytes), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Parts_of_an_export_are_found_by_their_names_and_by_nothing_else()
    {
        await using ApiRig rig = await ApiRig.StartAsync();
        string id = await SessionAsync(rig, "one");

        Assert.Empty((await rig.ReadAsync($"/api/sessions/{id}/exports")).GetProperty("exports").EnumerateArray());
        foreach (string name in new[] { "..%2f..%2fnftcluster.db", "nftcluster.db", $"{id}.1-2.json" })
        {
            await ApiRig.ProblemAsync(await rig.GetAsync($"/api/sessions/{id}/exports/{name}"), HttpStatusCode.NotFound);
        }
        Assert.Equal("format", (await ApiRig.ProblemAsync(await rig.GetAsync($"/api/sessions/{id}/export?format=pdf"), HttpStatusCode.BadRequest)).Field);
    }

    [Fact]
    public async Task A_viewer_who_asks_for_journeys_hears_of_each_and_again_when_it_grows()
    {
        await using ApiRig rig = await ApiRig.StartAsync();
        string id = await SessionAsync(rig, "one");
        using ClientWebSocket socket = new();
        socket.Options.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        socket.Options.AddSubProtocol("nftcluster");
        socket.Options.AddSubProtocol($"bearer.{rig.AdminToken}");
        await socket.ConnectAsync(new Uri($"wss://127.0.0.1:{rig.Controller.Host.WebPort}/api/ws"), TestContext.Current.CancellationToken);
        await socket.SendAsync(Encoding.UTF8.GetBytes($$"""{"watch":"{{id}}","journeys":true}"""), WebSocketMessageType.Text, true, TestContext.Current.CancellationToken);
        await NextAsync(socket, "watching");
        Store(rig, "n1", id, At(Start, 1));
        JsonElement heard = await NextAsync(socket, "journey");
        string trace = ApiRig.Text(heard.GetProperty("journey"), "id");
        TraceRecord first = (await new TraceQueries(Database.Open(rig.Controller.StateDirectory)).GetAsync(id, TraceId.TryParse(trace, out TraceId parsed) ? parsed : default, TestContext.Current.CancellationToken))!.Trace;

        Store(rig, "n2", id, 1, first with { In = first.Out! with { Ttl = first.Out.Ttl }, Out = first.Out with { Ttl = first.Out.Ttl - 1 }, Key = "0x1/2/3" });
        JsonElement grown = await NextAsync(socket, "journey");

        Assert.Equal(2, grown.GetProperty("journey").GetProperty("hops").GetArrayLength());
        Assert.Equal(trace, ApiRig.Text(grown.GetProperty("journey"), "id"));
    }

    [Fact]
    public async Task Payload_is_kept_and_seen_by_inspectors_alone()
    {
        await using ApiRig rig = await ApiRig.StartAsync();
        await ApiRig.ProblemAsync(await rig.SendAsync(HttpMethod.Post, "/api/sessions", await rig.TokenOfAsync("operator"), new { snap_bytes = 8 }), HttpStatusCode.Forbidden);
        Assert.Equal("snap_bytes", (await ApiRig.ProblemAsync(await rig.SendAsync(HttpMethod.Post, "/api/sessions", rig.AdminToken, new { snap_bytes = 33 }), HttpStatusCode.BadRequest)).Field);
        string id = ApiRig.Text(await ApiRig.JsonAsync(await rig.SendAsync(HttpMethod.Post, "/api/sessions", await rig.TokenOfAsync("inspector"), new { snap_bytes = 8 })), "id");
        TraceRecord sample = At(Start, 1);
        Store(rig, "n1", id, sample with { In = sample.In! with { Payload = "68656c6c6f" } });

        JsonElement seen = (await ApiRig.JsonAsync(await rig.GetAsync($"/api/sessions/{id}/traces", await rig.TokenOfAsync("inspector")))).GetProperty("traces")[0];

        Assert.Equal("68656c6c6f", ApiRig.Text(seen.GetProperty("in"), "payload"));
        foreach (string path in new[] { "traces", $"traces/{ApiRig.Text(seen, "id")}", $"traces/{ApiRig.Text(seen, "id")}/pcapng", "export", "exports" })
        {
            await ApiRig.ProblemAsync(await rig.GetAsync($"/api/sessions/{id}/{path}", await rig.TokenOfAsync("operator")), HttpStatusCode.Forbidden);
        }
        await ApiRig.ProblemAsync(await rig.GetAsync($"/api/journeys/{ApiRig.Text(seen, "id")}/pcapng", await rig.TokenOfAsync("viewer")), HttpStatusCode.Forbidden);
        Assert.Equal(1, (await ApiRig.JsonAsync(await rig.GetAsync($"/api/sessions/{id}/journeys", await rig.TokenOfAsync("viewer")))).GetProperty("journeys").GetArrayLength());
    }

    [Fact]
    public void Pages_of_several_sessions_are_one_in_order_and_what_is_of_one_time_stays_together()
    {
        var merged = JourneyPage.Merge([new JourneyPage([Of("03"), Of("01")], null), new JourneyPage([Of("02"), Of("01")], 1)], limit: 3, isOldestFirst: false);

        Assert.Equal(["2026-01-01T00:00:03.000000000Z", "2026-01-01T00:00:02.000000000Z", "2026-01-01T00:00:01.000000000Z", "2026-01-01T00:00:01.000000000Z"], merged.Journeys.Select(journey => journey.FirstSeen), StringComparer.Ordinal);
        Assert.Equal(Start + 1_000_000_000, merged.NextNs);
        Assert.Null(JourneyPage.Merge([new JourneyPage([Of("03")], null)], 3, isOldestFirst: false).NextNs);
    }

    private static JourneyRecord Of(string second) => JourneySamples.Of() with { FirstSeen = $"2026-01-01T00:00:{second}.000000000Z" };

    /// <summary>The next of this type; others are passed over.</summary>
    private static async Task<JsonElement> NextAsync(ClientWebSocket socket, string type)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(Patience.Default);
        byte[] buffer = new byte[256 << 10];
        while (true)
        {
            int length = 0;
            WebSocketReceiveResult read;
            do
            {
                read = await socket.ReceiveAsync(new ArraySegment<byte>(buffer, length, buffer.Length - length), patience.Token);
                length += read.Count;
            }
            while (!read.EndOfMessage);
            using var document = JsonDocument.Parse(buffer.AsMemory(0, length));
            if (ApiRig.Text(document.RootElement, "type") == type)
            {
                return document.RootElement.Clone();
            }
        }
    }

    private static async Task<string> SessionAsync(ApiRig rig, string name) => ApiRig.Text(await ApiRig.JsonAsync(await rig.SendAsync(HttpMethod.Post, "/api/sessions", rig.AdminToken, new { name })), "id");

    private static void Store(ApiRig rig, string node, string session, params TraceRecord[] traces) => Store(rig, node, session, 1, traces);

    private static void Store(ApiRig rig, string node, string session, ulong sequence, params TraceRecord[] traces)
    {
        using FrameWriter writer = new(Database.Open(rig.Controller.StateDirectory));
        writer.Commit([Frames.Of(node, sequence, new Payload { Traces = TraceBatchCodec.Encode(session, traces) })]);
    }

    private static TraceRecord At(long ns, int number)
    {
        TraceRecord sample = Samples.ForwardedAt(ns);
        string digest = $"0x{number + 1:x}";
        return sample with
        {
            Key = $"0xffff8881/4026532281/{number}",
            In = sample.In! with { WireDigest = digest },
            Out = sample.Out! with { WireDigest = digest },
        };
    }
}
