using NftCluster.Controller.Storage;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Controller.Storage;

public sealed class JournalTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    [Fact]
    public async Task Events_come_back_in_order_and_streams_do_not_mix()
    {
        Journal journal = Open();

        Assert.Equal(2, await journal.AppendAsync("session/a", 0, [Event("created"), Event("started")], TestContext.Current.CancellationToken));
        Assert.Equal(1, await journal.AppendAsync("session/b", 0, [Event("created")], TestContext.Current.CancellationToken));
        Assert.Equal(3, await journal.AppendAsync("session/a", 2, [Event("stopped")], TestContext.Current.CancellationToken));

        JournalStream stream = await Open().ReadAsync("session/a", TestContext.Current.CancellationToken);
        Assert.Equal(["created", "started", "stopped"], stream.Events.Select(e => e.Kind), StringComparer.Ordinal);
        Assert.Equal(3, stream.Version);
        Assert.Equal(["session/a", "session/b"], await journal.StreamsAsync("session/", TestContext.Current.CancellationToken));
        Assert.Empty(await journal.StreamsAsync("%", TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Of_two_that_append_behind_the_same_version_one_is_refused()
    {
        Journal journal = Open();
        long?[] versions = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => journal.AppendAsync("s", 0, [Event("first"), Event("second")], TestContext.Current.CancellationToken)));

        Assert.Equal(1, versions.Count(version => version == 2));
        Assert.Equal(7, versions.Count(version => version is null));
        Assert.Equal(2, (await journal.ReadAsync("s", TestContext.Current.CancellationToken)).Events.Count);
    }

    [Fact]
    public async Task A_snapshot_spares_the_events_before_it_and_an_older_one_changes_nothing()
    {
        Journal journal = Open();
        await journal.AppendAsync("s", 0, [Event("a"), Event("b"), Event("c")], TestContext.Current.CancellationToken);
        await journal.SnapshotAsync("s", new JournalSnapshot(2, "{\"at\":2}"), TestContext.Current.CancellationToken);
        await journal.SnapshotAsync("s", new JournalSnapshot(1, "{\"at\":1}"), TestContext.Current.CancellationToken);

        JournalStream stream = await journal.ReadAsync("s", TestContext.Current.CancellationToken);

        Assert.Equal(new JournalSnapshot(2, "{\"at\":2}"), stream.Snapshot);
        Assert.Equal(["c"], stream.Events.Select(e => e.Kind), StringComparer.Ordinal);
        Assert.Equal(3, stream.Version);
    }

    [Fact]
    public async Task A_stream_that_is_not_there_is_empty()
    {
        JournalStream stream = await Open().ReadAsync("nothing", TestContext.Current.CancellationToken);

        Assert.Equal((0, 0, null), (stream.Version, stream.Events.Count, stream.Snapshot));
    }

    public void Dispose() => _directory.Dispose();

    private Journal Open() => new(Database.Open(_directory.Path));

    private static JournalEvent Event(string kind) => new(kind, "{}", 1);
}
