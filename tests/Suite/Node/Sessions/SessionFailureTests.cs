using NftCluster.Node.Export;
using NftCluster.Node.Kernel;
using NftCluster.Node.Sessions;
using NftCluster.TestKit;
using NftCluster.Tests.Node.Pipeline;

namespace NftCluster.Tests.Node.Sessions;

/// <summary>Whatever dies, the session ends FAILED, says why, and answers who waits for it.</summary>
public sealed class SessionFailureTests
{
    private readonly EventScript _script = new();

    [Fact]
    public async Task An_output_that_cannot_write_fails_the_session_with_its_reason()
    {
        RecordingOutput output = new() { FailsToWrite = new ExportException("disk full: free some space") };
        await using SessionRig rig = await SessionRig.RunningAsync(SessionRig.Spec(output));
        rig.Play(_script.Forward(SessionRig.Packet(1)));
        rig.DrainedAt(ulong.MaxValue / 2);

        await rig.EndEventsAsync();
        SessionEnded ended = await rig.StopAsync();

        Assert.Equal(("FAILED", "disk full: free some space", 1L), (ended.Session.State, ended.Session.FailureReason, ended.Statistics.TotalPackets));
    }

    [Fact]
    public async Task An_output_that_fails_at_the_end_fails_the_session_with_its_reason()
    {
        RecordingOutput output = new() { FailsToComplete = new ExportException("disk full: free some space") };
        await using SessionRig rig = await SessionRig.RunningAsync(SessionRig.Spec(output));

        Task<SessionEnded> ending = rig.StopAsync();
        await rig.EndEventsAsync();

        SessionEnded ended = await ending;
        Assert.Equal(("FAILED", "disk full: free some space"), (ended.Session.State, ended.Session.FailureReason));
    }

    [Fact]
    public async Task An_output_that_dies_while_writing_fails_the_session()
    {
        RecordingOutput output = new() { FailsToWrite = new InvalidOperationException("a bug") };
        await using SessionRig rig = await SessionRig.RunningAsync(SessionRig.Spec(output));
        rig.Play(_script.Forward(SessionRig.Packet(1)));
        rig.DrainedAt(ulong.MaxValue / 2);

        await rig.EndEventsAsync();
        SessionEnded ended = await rig.StopAsync();

        Assert.Equal(("FAILED", "the session's output actor died"), (ended.Session.State, ended.Session.FailureReason));
        Assert.Contains("dispose", output.Calls, StringComparer.Ordinal);
    }

    [Fact]
    public async Task An_output_that_dies_at_the_end_leaves_nobody_waiting()
    {
        RecordingOutput output = new() { FailsToComplete = new InvalidOperationException("a bug") };
        await using SessionRig rig = await SessionRig.RunningAsync(SessionRig.Spec(output));

        Task<SessionEnded> ending = rig.StopAsync();
        await rig.EndEventsAsync();

        SessionEnded ended = await ending;
        Assert.Equal(("FAILED", "the session's output actor died"), (ended.Session.State, ended.Session.FailureReason));
    }

    [Fact]
    public async Task A_failure_while_exporting_is_what_a_later_question_hears()
    {
        RecordingOutput output = new();
        await using SessionRig rig = await SessionRig.RunningAsync(SessionRig.Spec(output));
        Task<SessionEnded> ending = rig.StopAsync();
        await rig.Node.ExpectMessageAsync(m => m is EndEvents);

        rig.Session.Tell(new OutputFailed("disk full: free some space"));
        rig.Session.Tell(new EventsEnded());

        Assert.Equal(("FAILED", "disk full: free some space"), ((await ending).Session.State, (await rig.StopAsync()).Session.FailureReason));
    }

    [Fact]
    public async Task A_shard_that_dies_fails_the_session_at_once()
    {
        RecordingOutput output = new();
        await using SessionRig rig = await SessionRig.RunningAsync(SessionRig.Spec(output));
        EventBatch garbage = new(64, static _ => { });
        garbage.Append([4, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0], 1); // a record shorter than any event
        garbage.HandTo(1);

        rig.Shard.Tell(new EventsRead(garbage));

        await rig.Shard.WhenStopped.WithPatience("the shard dies");
        await rig.Node.ExpectMessageAsync(m => m is EndEvents { Bit: SessionRig.Bit });
        SessionEnded ended = await rig.StopAsync();
        Assert.Equal(("FAILED", "the session's traces actor died"), (ended.Session.State, ended.Session.FailureReason));
        Assert.Equal((64, 0), (garbage.Free, garbage.Length)); // released all the same
    }

    [Fact]
    public async Task A_failed_session_still_says_its_status()
    {
        await using SessionRig rig = await SessionRig.RunningAsync(SessionRig.Spec(new RecordingOutput()));
        rig.Session.Tell(new OutputFailed("disk full: free some space"));

        Assert.Equal(SessionState.Failed, (await rig.StatusAsync()).State);
    }
}
