using NftCluster.Messages;
using NftCluster.Node.Export;
using NftCluster.Node.Sessions;
using NftCluster.TestKit;
using NftCluster.Tests.Node.Pipeline;

namespace NftCluster.Tests.Node.Sessions;

/// <summary>What is read live has an end of its own: it never holds up a session or its export.</summary>
public sealed class LiveOutputTests : IDisposable
{
    private readonly EventScript _script = new();
    private readonly RecordingOutput _export = new();

    [Fact]
    public async Task Closed_traces_are_written_to_both_and_both_are_completed()
    {
        RecordingOutput live = new();
        await using SessionRig rig = await SessionRig.RunningAsync(Spec(live));
        rig.Play(_script.Forward(SessionRig.Packet(1)));

        SessionEnded ended = await EndAsync(rig);

        Assert.Null((await rig.LiveAsync()).Error);
        Assert.Equal("STOPPED", ended.Session.State);
        Assert.Equal(["write", "flush", "complete"], _export.Calls, StringComparer.Ordinal);
        Assert.Equal(["write", "flush", "complete"], live.Calls, StringComparer.Ordinal);
    }

    [Fact]
    public async Task A_reader_who_stands_still_delays_neither_the_export_nor_the_end()
    {
        using StandingOutput live = new();
        await using SessionRig rig = await SessionRig.RunningAsync(Spec(live));
        rig.Play(_script.Forward(SessionRig.Packet(1)));
        rig.DrainedAt(ulong.MaxValue / 2);
        await live.Begun.WithPatience("the live output is written to");

        SessionEnded ended = await EndAsync(rig);
        Task<LiveEnded> end = rig.LiveAsync();

        Assert.Equal("STOPPED", ended.Session.State);
        Assert.Contains("complete", _export.Calls, StringComparer.Ordinal);
        await rig.Session.FenceAsync().WithPatience("the session heard the question");
        Assert.False(end.IsCompleted);
        live.Go();
        Assert.Null((await end).Error);
    }

    [Fact]
    public async Task A_live_output_that_cannot_write_stops_the_session_which_still_exports()
    {
        RecordingOutput live = new() { FailsToWrite = new ExportException("no space there") };
        await using SessionRig rig = await SessionRig.RunningAsync(Spec(live));
        rig.Play(_script.Forward(SessionRig.Packet(1)));
        rig.DrainedAt(ulong.MaxValue / 2);

        await rig.EndEventsAsync();
        SessionEnded ended = await rig.StopAsync();

        Assert.Equal(("STOPPED", null), (ended.Session.State, ended.Session.FailureReason));
        Assert.Equal("no space there", (await rig.LiveAsync()).Error);
        Assert.Contains("complete", _export.Calls, StringComparer.Ordinal);
    }

    [Fact]
    public async Task A_live_output_that_dies_stops_the_session_which_still_exports()
    {
        RecordingOutput live = new() { FailsToWrite = new InvalidOperationException("a bug") };
        await using SessionRig rig = await SessionRig.RunningAsync(Spec(live));
        rig.Play(_script.Forward(SessionRig.Packet(1)));
        rig.DrainedAt(ulong.MaxValue / 2);

        await rig.EndEventsAsync();

        Assert.Equal("STOPPED", (await rig.StopAsync()).Session.State);
        Assert.Equal("the session's live actor died", (await rig.LiveAsync()).Error);
        Assert.Contains("complete", _export.Calls, StringComparer.Ordinal);
    }

    [Fact]
    public async Task A_session_that_fails_ends_its_live_side_too()
    {
        RecordingOutput live = new();
        await using SessionRig rig = await SessionRig.RunningAsync(Spec(live));
        rig.Session.Tell(new OutputFailed("disk full: free some space"));

        await rig.EndEventsAsync();

        Assert.Equal("FAILED", (await rig.StopAsync()).Session.State);
        Assert.Null((await rig.LiveAsync()).Error);
    }

    [Fact]
    public async Task What_a_standing_reader_leaves_no_room_for_is_counted_and_exported_all_the_same()
    {
        const int Batches = 140;
        const int Size = 256;
        const int Packets = Batches * Size; // more than there is room for
        using StandingOutput live = new();
        await using SessionRig rig = await SessionRig.RunningAsync(Spec(live));
        for (int i = 0; i < Batches; i++)
        {
            EventScript script = new();
            for (int k = 1; k <= Size; k++)
            {
                script.Forward(SessionRig.Packet((ushort)k));
            }
            rig.Play(script);
            rig.DrainedAt(ulong.MaxValue / 2);
            await rig.StatusAsync(); // the shard has handled it: the output's own lane never has more than a few
        }

        SessionEnded ended = await EndAsync(rig);
        live.Go();
        await rig.LiveAsync();

        long refused = ended.Statistics.Losses.Single(l => l.Stage == LiveLane.Stage).Count;
        Assert.Equal(Packets, _export.Traces.Count());
        Assert.True(refused > 0);
        Assert.Equal(Packets - refused, live.Written);
        Assert.Equal(refused, _export.Statistics!.Losses.Single(l => l.Stage == LiveLane.Stage).Count);
    }

    public void Dispose() => _export.Dispose();

    private static async Task<SessionEnded> EndAsync(SessionRig rig)
    {
        Task<SessionEnded> ending = rig.StopAsync();
        await rig.EndEventsAsync();
        return await ending;
    }

    private SessionSpec Spec(ITraceOutput live) => SessionRig.Spec(_export) with { Live = [live] };

    /// <summary>An output whose reader takes nothing until it is told to.</summary>
    private sealed class StandingOutput : ITraceOutput
    {
        private readonly ManualResetEventSlim _go = new();
        private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Begun => _begun.Task;

        public int Written { get; private set; }

        public void Go() => _go.Set();

        public void Write(TraceRecord trace)
        {
            _begun.TrySetResult();
            _go.Wait();
            Written++;
        }

        public void Flush()
        {
            // It has no buffer.
        }

        public void Complete(SessionRecord session, StatisticsRecord statistics) => _go.Wait();

        public void Dispose() => _go.Set();
    }
}
