using NftCluster.Controller.Sessions;
using NftCluster.Messages.Link;
using NftCluster.Tests.Controller.Cluster;

namespace NftCluster.Tests.Controller.Sessions;

/// <summary>Sessions over a real link: what nodes are told, what they answer, and what is left of it after a restart.</summary>
public sealed class ClusterSessionTests : IAsyncLifetime
{
    private RunningController _controller = null!;

    public async ValueTask InitializeAsync() => _controller = await RunningController.StartAsync();

    public ValueTask DisposeAsync() => _controller.DisposeAsync();

    [Fact]
    public async Task A_connected_node_is_told_of_a_new_session_and_the_session_runs_when_it_does()
    {
        using ScriptedNode node = await ConnectedAsync("r1");
        ClusterSessionView made = await _controller.CreateAsync(new SessionRequest { Name = "web", Filter = "tcp port 80" });
        Assert.Equal("STARTING", made.State);
        Desired set = await node.DesiredAsync(desired => desired.Session.Count == 1);
        Assert.Equal((made.Id, "tcp port 80", "full"), (set.Session[0].Id, set.Session[0].Filter, set.Session[0].Mode));
        await node.ObserveAsync(set, "RUNNING");
        ClusterSessionView running = await StateAsync(made.Id, "RUNNING");
        Assert.Equal(("r1", "RUNNING", 1ul), (running.Nodes[0].NodeName, running.Nodes[0].State, running.Nodes[0].ObservedGeneration));
    }

    [Fact]
    public async Task A_late_node_takes_part()
    {
        ClusterSessionView made = await _controller.CreateAsync();
        using ScriptedNode node = await ConnectedAsync("late");
        Desired set = await node.DesiredAsync(desired => desired.Session.Count == 1);
        await node.ObserveAsync(set, "RUNNING");
        Assert.Equal("late", (await StateAsync(made.Id, "RUNNING")).Nodes.Single().NodeName);
    }

    [Fact]
    public async Task Only_nodes_that_the_selector_names_are_told()
    {
        using ScriptedNode one = await ConnectedAsync("r1");
        using ScriptedNode two = await ConnectedAsync("r2");
        await _controller.CreateAsync(new SessionRequest { Name = "first", Nodes = new NodeSelector { Names = ["r1"] } });
        ClusterSessionView both = await _controller.CreateAsync(new SessionRequest { Name = "second" });
        Desired second = await two.DesiredAsync(desired => desired.Session.Count > 0);
        Assert.Equal(both.Id, second.Session.Single().Id);
        Assert.Equal(2, (await one.DesiredAsync(desired => desired.Session.Count == 2)).Session.Count);
    }

    [Fact]
    public async Task Pause_filter_and_resume_reach_the_node_with_rising_generations()
    {
        using ScriptedNode node = await ConnectedAsync("r1");
        ClusterSessionView made = await _controller.CreateAsync();
        await node.DesiredAsync(desired => desired.Session.Count == 1);
        await _controller.AskAsync<ClusterSessionView>(reply => new PauseSession(made.Id, reply));
        Desired paused = await node.DesiredAsync(desired => desired.Session[0].Paused);
        await _controller.AskAsync<ClusterSessionView>(reply => new ChangeSession(made.Id, new SessionPatch { Filter = "icmp" }, reply));
        Desired changed = await node.DesiredAsync(desired => desired.Session[0].Filter == "icmp");
        await _controller.AskAsync<ClusterSessionView>(reply => new ResumeSession(made.Id, reply));
        Desired resumed = await node.DesiredAsync(desired => !desired.Session[0].Paused);
        Assert.True(paused.Generation < changed.Generation && changed.Generation < resumed.Generation);
        Assert.Equal([2ul, 3ul, 4ul], new[] { paused, changed, resumed }.Select(set => set.Session[0].Generation));
    }

    [Fact]
    public async Task A_stopped_session_is_over_when_its_node_has_handed_over_what_it_had()
    {
        using ScriptedNode node = await ConnectedAsync("r1");
        ClusterSessionView made = await RunningAsync(node);
        await _controller.AskAsync<ClusterSessionView>(reply => new StopSession(made.Id, "alice", reply));
        await node.DesiredAsync(desired => desired.Session.Count == 0);
        Assert.Equal("STOPPING", (await _controller.SessionAsync(made.Id)).State);
        await node.SendAsync(new NodeFrame { Data = node.Data(1, ScriptedNode.Report(made.Id, "STOPPED")) });
        Assert.Equal("stopped by alice", (await StateAsync(made.Id, "STOPPED")).StopReason);
    }

    [Fact]
    public async Task One_node_that_fails_does_not_fail_the_others()
    {
        using ScriptedNode good = await ConnectedAsync("good");
        using ScriptedNode bad = await ConnectedAsync("bad");
        ClusterSessionView made = await RunningAsync(good);
        await bad.ObserveAsync(await bad.DesiredAsync(desired => desired.Session.Count == 1), "FAILED", "no BTF");
        ClusterSessionView seen = await RunningController.UntilAsync(() => _controller.SessionAsync(made.Id), view => view.Nodes.Any(member => member.State == "FAILED"));
        Assert.Equal("RUNNING", seen.State);
        Assert.Equal("no BTF", seen.Nodes.Single(member => member.NodeName == "bad").FailureReason);
    }

    [Fact]
    public async Task A_session_that_no_node_can_run_has_failed_with_the_reason()
    {
        using ScriptedNode node = await ConnectedAsync("r1");
        ClusterSessionView made = await _controller.CreateAsync();
        await node.ObserveAsync(await node.DesiredAsync(desired => desired.Session.Count == 1), "FAILED", "no BTF");
        Assert.Contains("r1: no BTF", (await StateAsync(made.Id, "FAILED")).FailureReason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task After_a_restart_of_the_controller_the_session_still_runs_and_its_node_is_told_so()
    {
        using ScriptedNode node = await ConnectedAsync("r1");
        ClusterSessionView made = await RunningAsync(node);
        ulong before = (await _controller.NodeAsync("r1")).DesiredGeneration;
        await _controller.RestartAsync();
        Assert.Equal("RUNNING", (await _controller.SessionAsync(made.Id)).State);
        Welcome welcome = await node.ConnectAsync();
        Desired set = await node.DesiredAsync(desired => desired.Session.Count == 1);
        Assert.Equal((made.Id, welcome.ControllerIncarnation), (set.Session[0].Id, set.ControllerIncarnation));
        Assert.True(set.Generation >= before);
    }

    [Fact]
    public async Task A_node_that_followed_another_database_is_said_to()
    {
        using ScriptedNode node = await ScriptedNode.JoinAsync(_controller, "r1");
        Hello hello = node.Hello();
        hello.ControllerIncarnation = Google.Protobuf.ByteString.CopyFromUtf8("another");
        await node.ConnectAsync(hello);
        Assert.Contains("--adopt", (await _controller.NodeAsync("r1")).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fifty_sessions_run_at_once_and_the_next_is_refused_in_words()
    {
        using ScriptedNode node = await ConnectedAsync("r1");
        for (int session = 0; session < SessionCheck.MostSessions; session++)
        {
            await _controller.CreateAsync();
        }
        await node.DesiredAsync(desired => desired.Session.Count == SessionCheck.MostSessions);
        Result<ClusterSessionView> next = await _controller.AskAsync<ClusterSessionView>(reply => new CreateSession(new SessionRequest(), "alice", reply));
        Assert.Contains("stop one first", next.Error!.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_with_a_duration_ends_by_itself()
    {
        ClusterSessionView made = await _controller.CreateAsync(new SessionRequest { Limits = new SessionLimitsRequest { Duration = TimeSpan.FromMilliseconds(50) } });
        Assert.Equal("its time is over", (await StateAsync(made.Id, "STOPPED")).StopReason);
    }

    [Fact]
    public async Task A_session_that_is_over_cannot_be_changed_but_be_deleted()
    {
        ClusterSessionView made = await _controller.CreateAsync();
        Assert.Equal(CommandError.Conflict, (await _controller.AskAsync<ClusterSessionView>(reply => new DeleteSession(made.Id, reply))).Error!.Code);
        await _controller.AskAsync<ClusterSessionView>(reply => new StopSession(made.Id, "alice", reply));
        await StateAsync(made.Id, "STOPPED");
        Assert.Equal(CommandError.Conflict, (await _controller.AskAsync<ClusterSessionView>(reply => new PauseSession(made.Id, reply))).Error!.Code);
        Assert.Null((await _controller.AskAsync<ClusterSessionView>(reply => new DeleteSession(made.Id, reply))).Error);
        Assert.Equal(CommandError.NotFound, (await _controller.AskAsync<ClusterSessionView>(reply => new GetSession(made.Id, reply))).Error!.Code);
        await _controller.RestartAsync();
        Assert.Equal(CommandError.NotFound, (await _controller.AskAsync<ClusterSessionView>(reply => new GetSession(made.Id, reply))).Error!.Code);
    }

    [Fact]
    public async Task What_is_wrong_with_a_request_is_told_with_its_field()
    {
        Result<ClusterSessionView> refused = await _controller.AskAsync<ClusterSessionView>(reply => new CreateSession(new SessionRequest { Mode = "fast" }, "alice", reply));
        Assert.Equal((CommandError.Invalid, "mode"), (refused.Error!.Code, refused.Error.Field));
    }

    private async Task<ScriptedNode> ConnectedAsync(string name)
    {
        ScriptedNode node = await ScriptedNode.JoinAsync(_controller, name);
        await node.ConnectAsync();
        return node;
    }

    private async Task<ClusterSessionView> RunningAsync(ScriptedNode node)
    {
        ClusterSessionView made = await _controller.CreateAsync();
        await node.ObserveAsync(await node.DesiredAsync(desired => desired.Session.Count == 1), "RUNNING");
        return await StateAsync(made.Id, "RUNNING");
    }

    private Task<ClusterSessionView> StateAsync(string id, string state) => RunningController.UntilAsync(() => _controller.SessionAsync(id), view => view.State == state);
}
