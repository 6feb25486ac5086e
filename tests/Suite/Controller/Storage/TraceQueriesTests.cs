using NftCluster.Controller.Storage;
using NftCluster.Messages;
using NftCluster.Tests.Messages.Link;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Controller.Storage;

public sealed class TraceQueriesTests : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly Database _database;
    private readonly FrameWriter _writer;
    private readonly TraceQueries _queries;

    public TraceQueriesTests()
    {
        _database = Database.Open(_directory.Path);
        _writer = new FrameWriter(_database);
        _queries = new TraceQueries(_database);
    }

    [Fact]
    public async Task A_trace_comes_back_as_its_node_sent_it()
    {
        RandomTraces random = new(7);
        TraceRecord[] sent = [Samples.Forwarded(), Samples.Dropped(), Samples.Full(), .. Enumerable.Range(0, 100).Select(_ => random.Trace())];
        _writer.Commit([Frames.Traces("n1", 1, sent)]);

        IReadOnlyList<StoredTrace> found = await FindAsync();

        Assert.Equivalent(sent, found.Select(stored => stored.Trace), strict: true);
        Assert.All(found, stored => Assert.Equal(("n1", "s1"), (stored.Id.NodeId, stored.SessionId)));
    }

    [Theory]
    [InlineData("host", "10.3.0.2")]
    [InlineData("src_ip", "10.1.0.2")]
    [InlineData("port", "5000")]
    [InlineData("src_port", "10003")]
    [InlineData("protocol", "UDP")]
    [InlineData("verdict", "dropped")]
    [InlineData("verdict", "forwarded")]
    [InlineData("function", "kfree_skb")]
    [InlineData("function", "ip_forward")]
    [InlineData("device", "eth1")]
    [InlineData("complete", "true")]
    [InlineData("key", "0xffff8881/4026532281/7")]
    [InlineData("netns", "4026532281")]
    public async Task Every_value_of_a_trace_finds_the_traces_that_have_it_and_no_other(string field, string value)
    {
        TraceRecord[] sent = [.. Enumerable.Range(1, 40).Select(Frames.Numbered)];
        _writer.Commit([Frames.Traces("n1", 1, sent[..15]), Frames.Traces("n2", 1, sent[15..])]);

        string[] expected = [.. sent.Where(trace => Has(trace, field, value)).Select(trace => trace.Key)];

        Assert.Equal(expected, (await FindAsync((field, [value]))).Select(stored => stored.Trace.Key), StringComparer.Ordinal);
    }

    [Theory]
    [InlineData("in.ttl", "63")]
    [InlineData("in.ttl", "64")]
    [InlineData("events.pid", "21")]
    [InlineData("events.detail", "reason=NO_SOCKET at=__udp4_lib_rcv+0x5a")]
    [InlineData("duration_ns", "2100640")]
    [InlineData("in.payload_length", "7")]
    public async Task A_value_without_a_summary_is_found_by_its_place(string path, string value)
    {
        TraceRecord[] sent = [.. Enumerable.Range(1, 40).Select(Frames.Numbered)];
        _writer.Commit([Frames.Traces("n1", 1, sent[..15]), Frames.Traces("n2", 1, sent[15..])]);
        string[] expected = [.. sent.Where(trace => TraceValues.Match(trace, [new ValuePart(path, [value])])).Select(trace => trace.Key)];

        List<string> found = [];
        TraceQuery query = new() { SessionId = "s1", Values = [new ValuePart(path, [value])], OldestFirst = true, Limit = 3 };
        TracePage page;
        do
        {
            page = await _queries.FindAsync(query, TestContext.Current.CancellationToken);
            found.AddRange(page.Traces.Select(stored => stored.Trace.Key));
            query = query with { After = page.Next };
        }
        while (page.Next is not null);

        Assert.Contains(path, TraceValues.Paths);
        Assert.Equal(expected, found, StringComparer.Ordinal);
    }

    [Fact]
    public void Every_value_of_a_trace_has_a_name_to_search_by()
    {
        Assert.Superset(new HashSet<string>(["in.ttl", "out.payload", "events.timestamp", "events.comm", "nft_events.ct_reply.dst_port", "nft_events.chain_ns", "duration_ns", "functions_called"], StringComparer.Ordinal), TraceValues.Paths.ToHashSet(StringComparer.Ordinal));
        Assert.All(TraceFields.Names, name => Assert.DoesNotContain(name, TraceValues.Paths));
    }

    [Fact]
    public async Task Conditions_hold_together_and_values_of_one_are_alternatives()
    {
        _writer.Commit([Frames.Traces("n1", 1, [.. Enumerable.Range(1, 40).Select(Frames.Numbered)])]);

        IReadOnlyList<StoredTrace> found = await FindAsync(("verdict", ["dropped"]), ("src_port", ["10005", "10006", "10010"]));

        Assert.Equal(["5", "10"], found.Select(stored => stored.Trace.Key.Split('/')[^1]), StringComparer.Ordinal);
        Assert.Empty(await FindAsync(("verdict", ["dropped"]), ("verdict", ["forwarded"])));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Pages_follow_each_other_without_a_repeat_while_more_is_stored(bool oldestFirst)
    {
        for (int frame = 0; frame < 5; frame++)
        {
            _writer.Commit([Frames.Traces("n1", (ulong)frame + 1, [.. Enumerable.Range(frame * 7, 7).Select(Frames.Numbered)])]);
        }
        List<int> seen = [];
        TraceQuery? query = new() { SessionId = "s1", OldestFirst = oldestFirst, Limit = 4 };
        ulong next = 6;
        while (query is not null)
        {
            TracePage page = await _queries.FindAsync(query, TestContext.Current.CancellationToken);
            Assert.True(page.Traces.Count <= 4);
            seen.AddRange(page.Traces.Select(stored => int.Parse(stored.Trace.Key.Split('/')[^1], System.Globalization.CultureInfo.InvariantCulture)));
            if (next < 9)
            {
                _writer.Commit([Frames.Traces("n1", next, Frames.Numbered(1000 + (int)next))]);
                next++;
            }
            query = page.Next is { } after ? query with { After = after } : null;
        }

        int[] old = [.. seen.Where(number => number < 1000)];
        Assert.Equal(oldestFirst ? Enumerable.Range(0, 35) : Enumerable.Range(0, 35).Reverse(), old);
        Assert.Equal(oldestFirst ? 3 : 0, seen.Count(number => number >= 1000));
    }

    [Fact]
    public async Task Time_and_node_narrow_the_search()
    {
        TraceRecord early = Frames.Numbered(1);
        Assert.True(TraceTime.TryParse(early.FirstSeen, out long atNs));
        _writer.Commit([Frames.Traces("n1", 1, early), Frames.Traces("n2", 1, Frames.Numbered(2))]);

        TraceQuery query = new() { SessionId = "s1" };
        Assert.Equal(2, (await _queries.FindAsync(query with { FromNs = atNs, ToNs = atNs }, TestContext.Current.CancellationToken)).Traces.Count);
        Assert.Empty((await _queries.FindAsync(query with { FromNs = atNs + 1 }, TestContext.Current.CancellationToken)).Traces);
        Assert.Empty((await _queries.FindAsync(query with { ToNs = atNs - 1 }, TestContext.Current.CancellationToken)).Traces);
        Assert.Equal("n2", Assert.Single((await _queries.FindAsync(query with { Nodes = ["n2", "n3"] }, TestContext.Current.CancellationToken)).Traces).Id.NodeId);
    }

    [Fact]
    public async Task A_trace_is_found_by_its_id_in_its_session_only()
    {
        _writer.Commit([Frames.Traces("n1", 1, Frames.Numbered(1), Frames.Numbered(2))]);
        StoredTrace second = (await FindAsync())[1];

        Assert.True(TraceId.TryParse(second.Id.ToString(), out TraceId id));
        Assert.Equal(second.Trace.Key, (await _queries.GetAsync("s1", id, TestContext.Current.CancellationToken))!.Trace.Key);
        Assert.Null(await _queries.GetAsync("s2", id, TestContext.Current.CancellationToken));
        Assert.Null(await _queries.GetAsync("s1", id with { Index = 2 }, TestContext.Current.CancellationToken));
        Assert.Null(await _queries.GetAsync("s1", id with { Sequence = ulong.MaxValue }, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("")]
    [InlineData("n1~1")]
    [InlineData("n1~x~1~1")]
    [InlineData("n1~1~-1~1")]
    public void A_text_that_is_no_id_is_none(string text) => Assert.False(TraceId.TryParse(text, out _));

    [Theory]
    [InlineData("host", "10.1.0", false)]
    [InlineData("host", "nonsense", true)]
    [InlineData("port", "http", true)]
    [InlineData("complete", "maybe", true)]
    [InlineData("verdict", "'; DROP TABLE frames; --", false)]
    public void A_value_that_the_field_cannot_have_is_said(string name, string text, bool isWrong)
    {
        Assert.True(TraceFields.TryParse(name, out TraceField field));
        ulong? term = Term.Parse(field, text, out string? error);

        Assert.Equal(isWrong, term is null);
        Assert.Equal(isWrong, error is not null);
    }

    public void Dispose()
    {
        _writer.Dispose();
        _directory.Dispose();
    }

    private async Task<IReadOnlyList<StoredTrace>> FindAsync(params (string Field, string[] Values)[] conditions)
    {
        QueryPart[] parts = [.. conditions.Select(condition =>
        {
            Assert.True(TraceFields.TryParse(condition.Field, out TraceField field));
            return new QueryPart(field, [.. condition.Values.Select(value => Term.Parse(field, value, out _)!.Value)]);
        })];
        return (await _queries.FindAsync(new TraceQuery { SessionId = "s1", OldestFirst = true, Limit = 1000, Parts = parts }, TestContext.Current.CancellationToken)).Traces;
    }

    /// <summary>The same question, asked of the record itself.</summary>
    private static bool Has(TraceRecord trace, string field, string value)
    {
        string?[] values = field switch
        {
            "host" => [trace.SrcIp, trace.DstIp, trace.In?.SrcIp, trace.In?.DstIp, trace.Out?.SrcIp, trace.Out?.DstIp, .. trace.Events.SelectMany(e => new[] { e.SrcIp, e.DstIp })],
            "src_ip" => [trace.SrcIp, trace.In?.SrcIp, trace.Out?.SrcIp, .. trace.Events.Select(e => e.SrcIp)],
            "port" => [.. new[] { trace.SrcPort, trace.DstPort, trace.In?.SrcPort, trace.In?.DstPort, trace.Out?.SrcPort, trace.Out?.DstPort }.Concat(trace.Events.SelectMany(e => new[] { e.SrcPort, e.DstPort })).Select(port => port?.ToString(System.Globalization.CultureInfo.InvariantCulture))],
            "src_port" => [.. new[] { trace.SrcPort, trace.In?.SrcPort, trace.Out?.SrcPort }.Concat(trace.Events.Select(e => e.SrcPort)).Select(port => port?.ToString(System.Globalization.CultureInfo.InvariantCulture))],
            "protocol" => [trace.ProtocolName, .. trace.Events.Select(e => e.Protocol)],
            "verdict" => [trace.FinalVerdict],
            "function" => [.. trace.FunctionsCalled, .. trace.Events.Select(e => e.FuncName)],
            "device" => [trace.In?.Device, trace.Out?.Device, .. trace.Events.Select(e => e.Device), .. trace.NftEvents.SelectMany(e => new[] { e.InDevice, e.OutDevice })],
            "complete" => [trace.Complete ? "true" : "false"],
            "key" => [trace.Key],
            "netns" => [trace.Netns.ToString(System.Globalization.CultureInfo.InvariantCulture)],
            _ => [],
        };
        return values.Contains(value, StringComparer.Ordinal);
    }
}
