using Microsoft.Data.Sqlite;
using NftCluster.Actors;
using NftCluster.Controller.Storage;
using NftCluster.Messages.Link;
using NftCluster.TestKit;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Controller.Storage;

public sealed class StorageActorTests : IAsyncLifetime
{
    private readonly TempDirectory _directory = new();
    private readonly ActorTestSystem _system = new();
    private Database _database = null!;
    private ActorRef<StorageMessage> _storage = null!;

    public ValueTask InitializeAsync()
    {
        _database = Database.Open(_directory.Path);
        _storage = _system.Spawn<StorageMessage>("storage", () => new StorageActor(_database, new StorageOptions(_directory.Path, 0)));
        return default;
    }

    [Fact]
    public async Task A_frame_is_stored_once_however_often_it_comes()
    {
        IngestFrame first = Frames.Traces("n1", 1, Frames.Numbered(1), Frames.Numbered(2));
        IngestFrame second = Frames.Traces("n1", 2, Frames.Numbered(3));

        FramesCommitted outcome = await CommitAsync(first, second);
        FramesCommitted again = await CommitAsync(first, first, second);

        Assert.Equal([new CommittedUpTo("n1", Frames.Epoch, 2)], outcome.Committed);
        Assert.Equal([new CommittedUpTo("n1", Frames.Epoch, 2)], again.Committed);
        Assert.Equal((null, null), (outcome.Error, again.Error));
        Assert.Equal(["1", "2", "3"], (await FindAsync()).Select(Number), StringComparer.Ordinal);
    }

    [Fact]
    public async Task A_number_with_other_content_is_a_conflict_and_what_was_stored_stays()
    {
        await CommitAsync(Frames.Traces("n1", 1, Frames.Numbered(1)));

        FramesCommitted outcome = await CommitAsync(Frames.Traces("n1", 1, Frames.Numbered(9)), Frames.Traces("n1", 2, Frames.Numbered(2)));

        FrameConflict conflict = Assert.Single(outcome.Conflicts);
        Assert.Equal("sequence 1 is stored with other content: was the node's state directory restored or copied?", conflict.Text);
        Assert.Equal([new CommittedUpTo("n1", Frames.Epoch, 2)], outcome.Committed);
        Assert.Equal(["1", "2"], (await FindAsync()).Select(Number), StringComparer.Ordinal);
    }

    [Fact]
    public async Task A_frame_behind_a_hole_is_not_stored()
    {
        FramesCommitted outcome = await CommitAsync(Frames.Traces("n1", 2, Frames.Numbered(2)), Frames.Traces("n1", 1, Frames.Numbered(1)));

        Assert.Equal("sequence 2 leaves a hole: 0 is the last that is stored", Assert.Single(outcome.Conflicts).Text);
        Assert.Equal([new CommittedUpTo("n1", Frames.Epoch, 1)], outcome.Committed);
    }

    [Fact]
    public async Task Nodes_and_epochs_have_numbers_of_their_own()
    {
        await CommitAsync(Frames.Traces("n1", 1, Frames.Numbered(1)), Frames.Traces("n2", 1, Frames.Numbered(2)));

        NodeCommitted committed = await _storage.AskAsync<NodeCommitted>(reply => new GetCommitted("n2", reply), Patience.Default, TestContext.Current.CancellationToken);

        Assert.Equal([new CommittedUpTo("n2", Frames.Epoch, 1)], committed.Epochs);
    }

    [Fact]
    public async Task Commits_that_wait_together_answer_each_for_its_own_frames()
    {
        Task<FramesCommitted>[] orders = [.. Enumerable.Range(1, 20).Select(node => CommitAsync(Frames.Traces($"n{node}", 1, Frames.Numbered(node))))];

        FramesCommitted[] outcomes = await Task.WhenAll(orders);

        Assert.Equal(Enumerable.Range(1, 20).Select(node => $"n{node}"), outcomes.Select(outcome => Assert.Single(outcome.Committed).NodeId), StringComparer.Ordinal);
    }

    [Fact]
    public async Task Losses_and_reports_are_stored_beside_the_traces_and_an_unknown_count_stays_unknown()
    {
        Payload losses = new() { Losses = new Losses { SessionId = "s1", Loss = { new Loss { Stage = "node-killed", Kind = "events", FromNs = 1, ToNs = 2, Text = "killed" }, new Loss { Stage = "ring-full", Kind = "events", Count = 7 } } } };
        Payload report = new() { Report = new SessionReport { SessionId = "s1", State = "RUNNING", AtNs = 5, StatisticsJson = Google.Protobuf.ByteString.CopyFrom(System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(Samples.Statistics(), NftCluster.Messages.TraceJson.Default.StatisticsRecord)) } };

        await CommitAsync(Frames.Of("n1", 1, losses), Frames.Of("n1", 2, report));

        TraceQueries queries = new(_database);
        IReadOnlyList<StoredLoss> stored = await queries.LossesAsync("s1", TestContext.Current.CancellationToken);
        Assert.Equal([(null, "node-killed"), (7L, "ring-full")], stored.Select(loss => (loss.Count, loss.Stage)));
        StoredReport told = Assert.Single(await queries.ReportsAsync("s1", TestContext.Current.CancellationToken));
        Assert.Equal(("RUNNING", Samples.Statistics().TotalEvents), (told.State, told.Statistics.TotalEvents));
    }

    [Fact]
    public async Task A_disk_with_less_than_the_reserve_refuses_frames_and_takes_them_later()
    {
        StorageOptions none = new(_directory.Path, long.MaxValue);
        ActorRef<StorageMessage> full = _system.Spawn<StorageMessage>("full", () => new StorageActor(_database, none));

        FramesCommitted refused = await CommitAsync(full, Frames.Traces("n1", 1, Frames.Numbered(1)));
        FramesCommitted later = await CommitAsync(Frames.Traces("n1", 1, Frames.Numbered(1)));

        Assert.Equal(none.NoRoom, refused.Error);
        Assert.Empty(refused.Committed);
        Assert.Equal([new CommittedUpTo("n1", Frames.Epoch, 1)], later.Committed);
    }

    [Fact]
    public async Task A_file_that_may_not_grow_refuses_the_whole_commit_and_stores_nothing_of_it()
    {
        using FrameWriter writer = new(_database, mostPages: 64);
        IngestFrame[] many = [.. Enumerable.Range(1, 400).Select(i => Frames.Traces("n1", (ulong)i, [.. Enumerable.Range(0, 20).Select(n => Frames.Numbered(i * 20 + n))]))];

        SqliteException refused = Assert.Throws<SqliteException>(() => writer.Commit(many));

        Assert.True(SqliteText.IsFull(refused), refused.Message);
        Assert.Empty(await FindAsync());
        Assert.Empty(writer.CommittedOf("n1"));
        Assert.Equal([new CommittedUpTo("n1", Frames.Epoch, 1)], (await CommitAsync(many[0])).Committed);
    }

    public async ValueTask DisposeAsync()
    {
        await _system.DisposeAsync();
        _directory.Dispose();
    }

    private Task<FramesCommitted> CommitAsync(params IngestFrame[] frames) => CommitAsync(_storage, frames);

    private static Task<FramesCommitted> CommitAsync(ActorRef<StorageMessage> storage, params IngestFrame[] frames) =>
        storage.AskAsync<FramesCommitted>(reply => new CommitFrames(frames, reply), Patience.Default, TestContext.Current.CancellationToken);

    private async Task<IReadOnlyList<StoredTrace>> FindAsync() =>
        (await new TraceQueries(_database).FindAsync(new TraceQuery { SessionId = "s1", OldestFirst = true }, TestContext.Current.CancellationToken)).Traces;

    private static string Number(StoredTrace trace) => trace.Trace.Key.Split('/')[^1];
}
