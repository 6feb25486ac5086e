using NftCluster.Controller.Storage;
using NftCluster.Messages.Link;
using NftCluster.TestKit;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Controller.Storage;

public sealed class RetentionAndBackupTests : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly ManualTime _time = new();
    private readonly Database _database;

    public RetentionAndBackupTests() => _database = Database.Open(_directory.File("state"));

    [Fact]
    public async Task What_is_too_old_goes_and_is_said()
    {
        using FrameWriter writer = new(_database);
        writer.Commit([Frames.Of("n1", 1, Frames.Payload(Frames.Numbered(1), Frames.Numbered(2)), _time.GetUtcNow() - TimeSpan.FromHours(2)), Frames.Of("n1", 2, Frames.Payload(Frames.Numbered(3)), _time.GetUtcNow())]);

        RetentionDone done = new Retention(_database, _time).Apply(new RetentionLimits(TimeSpan.FromHours(1), 0));

        Assert.Equal(new RetentionDone(1, 2, null), done);
        TraceQueries queries = new(_database);
        StoredTrace left = Assert.Single((await queries.FindAsync(new TraceQuery { SessionId = "s1" }, TestContext.Current.CancellationToken)).Traces);
        Assert.EndsWith("/3", left.Trace.Key, StringComparison.Ordinal);
        StoredLoss removed = Assert.Single(await queries.RemovalsAsync("s1", TestContext.Current.CancellationToken));
        Assert.Equal(("retention", 2L, "age"), (removed.Stage, removed.Count, removed.Text));
        Assert.Empty(writer.Commit([Frames.Traces("n1", 1, Frames.Numbered(1), Frames.Numbered(2))]).Conflicts);
    }

    [Fact]
    public async Task A_file_that_is_too_large_loses_its_oldest_first()
    {
        using FrameWriter writer = new(_database);
        for (ulong i = 1; i <= 600; i++)
        {
            writer.Commit([Frames.Traces("n1", i, [.. Enumerable.Range((int)i * 100, 20).Select(Frames.Numbered)])]);
        }

        RetentionDone done = new Retention(_database, _time).Apply(new RetentionLimits(TimeSpan.Zero, 512 * 1024));

        Assert.InRange(done.Traces, 20, 600 * 20);
        IReadOnlyList<StoredTrace> oldest = (await new TraceQueries(_database).FindAsync(new TraceQuery { SessionId = "s1", OldestFirst = true, Limit = 1 }, TestContext.Current.CancellationToken)).Traces;
        Assert.All(oldest, trace => Assert.Equal((ulong)done.Frames + 1, trace.Id.Sequence));
    }

    [Fact]
    public async Task A_session_is_removed_whole_and_others_stay()
    {
        using FrameWriter writer = new(_database);
        writer.Commit([Frames.Traces("n1", 1, Frames.Numbered(1))]);

        Assert.Equal(0, new Retention(_database, _time).Remove("other").Frames);
        Assert.Equal(1, new Retention(_database, _time).Remove("s1").Frames);
        Assert.Empty((await new TraceQueries(_database).FindAsync(new TraceQuery { SessionId = "s1" }, TestContext.Current.CancellationToken)).Traces);
    }

    [Fact]
    public async Task A_removed_session_leaves_no_loss_and_no_report_of_its_own()
    {
        using FrameWriter writer = new(_database);
        Payload Lost(string session) => new() { Losses = new Losses { SessionId = session, Loss = { new Loss { Stage = "ring-full", Kind = "events", Count = 7 } } } };
        Payload report = new() { Report = new SessionReport { SessionId = "s1", State = "STOPPED", StatisticsJson = Google.Protobuf.ByteString.CopyFrom(System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(Samples.Statistics(), NftCluster.Messages.TraceJson.Default.StatisticsRecord)) } };
        writer.Commit([Frames.Traces("n1", 1, Frames.Numbered(1)), Frames.Of("n1", 2, Lost("s1")), Frames.Of("n1", 3, report), Frames.Of("n1", 4, Lost("s2"))]);

        new Retention(_database, _time).Remove("s1");

        TraceQueries queries = new(_database);
        Assert.Empty(await queries.LossesAsync("s1", TestContext.Current.CancellationToken));
        Assert.Empty(await queries.ReportsAsync("s1", TestContext.Current.CancellationToken));
        Assert.Single(await queries.LossesAsync("s2", TestContext.Current.CancellationToken));
        Assert.Equal("deleted", Assert.Single(await queries.RemovalsAsync("s1", TestContext.Current.CancellationToken)).Text);
    }

    [Fact]
    public async Task A_backup_made_while_it_is_written_to_can_be_restored_and_what_was_there_is_kept()
    {
        using FrameWriter writer = new(_database);
        writer.Commit([Frames.Traces("n1", 1, Frames.Numbered(1))]);
        Backup.Make(_database, _directory.File("backup.db"));
        writer.Commit([Frames.Traces("n1", 2, Frames.Numbered(2))]);

        string? kept = Backup.Restore(_directory.File("restored"), _directory.File("backup.db"));
        string? before = Backup.Restore(_directory.File("restored"), _directory.File("backup.db"));

        Assert.Null(kept);
        Assert.EndsWith(".before-1", before, StringComparison.Ordinal);
        var restored = Database.Open(_directory.File("restored"));
        Assert.Single((await new TraceQueries(restored).FindAsync(new TraceQuery { SessionId = "s1" }, TestContext.Current.CancellationToken)).Traces);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_directory.File("backup.db")));
    }

    [Fact]
    public void A_backup_never_overwrites_and_what_is_no_backup_is_refused()
    {
        File.WriteAllText(_directory.File("taken"), "precious");

        Assert.Contains("is there already", Assert.Throws<StorageException>(() => Backup.Make(_database, _directory.File("taken"))).Message, StringComparison.Ordinal);
        Assert.Contains("is no backup of a controller", Assert.Throws<StorageException>(() => Backup.Restore(_directory.File("state"), _directory.File("taken"))).Message, StringComparison.Ordinal);
        Assert.Equal("precious", File.ReadAllText(_directory.File("taken")));
    }

    public void Dispose() => _directory.Dispose();
}
