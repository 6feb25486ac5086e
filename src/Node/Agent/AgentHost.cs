using NftCluster.Actors;
using NftCluster.Node.Spool;
using NftCluster.Node.Uplink;

namespace NftCluster.Node.Agent;

/// <summary>
/// The node process: (1) an identity, joining if there is none, (2) the spool, (3) its actors, (4) the sessions of before, (5) the link;
/// and at the end the sessions first, so that what they saw is in the spool.
/// </summary>
internal sealed class AgentHost(AgentOptions options, TimeProvider time, Action<string> say)
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    /// <summary>Returns when told to stop. Throws <see cref="UplinkException"/> or <see cref="SpoolException"/> with one line.</summary>
    public async Task RunAsync(Action ready, CancellationToken stop)
    {
        Directory.CreateDirectory(options.StateDirectory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        NodeIdentity identity = new(options.StateDirectory);
        // Before joining: a second node with this state directory must not spend a token.
        SpoolStore store = new(options.Spool, time);
        if (!await JoinAsync(identity, stop))
        {
            store.Dispose();
            return;
        }
        NodeFacts facts = new(store);
        ulong epoch = store.Epoch;
        ActorSystem system = new("agent", time, new ActorSystemOptions { OnFailure = Failed });
        ActorRef<SpoolMessage> spool = system.Spawn<SpoolMessage>("spool", () => new SpoolActor(store, say));
        SpoolLane lane = await spool.AskAsync<SpoolLane>(reply => new GetSpoolLane(reply), _patience, CancellationToken.None);
        KernelHosts hosts = new(options, time, Failed);
        ActorRef<AgentMessage> agent = system.Spawn<AgentMessage>("sessions", () => new AgentActor(options, facts, hosts, spool, lane, say));
        UplinkOptions uplinkOptions = new() { Controller = options.Controller, Name = options.Name, Labels = options.Labels, Host = HostNow.Read(options.Netns) };
        agent.Tell(new ResumeSessions());
        ActorRef<UplinkMessage> uplink = system.Spawn<UplinkMessage>("uplink", () => new UplinkActor(uplinkOptions, identity, spool, agent, epoch, say));
        agent.Tell(new MeetUplink(uplink));
        ready();
        Task stopped = WhenAsync(stop);
        Task died = Task.WhenAny(spool.WhenStopped, agent.WhenStopped, uplink.WhenStopped);
        bool inOrder = await Task.WhenAny(stopped, died) == stopped;
        if (inOrder)
        {
            _ = await agent.AskAsync<SessionsEnded>(reply => new EndSessions(reply), _patience, CancellationToken.None);
        }
        _ = await system.StopAsync(_patience, CancellationToken.None);
        if (!inOrder)
        {
            throw new UplinkException("a part of the node has died (see above): start it again, its sessions and its spool are kept");
        }
    }

    /// <summary>False when told to stop before it has joined.</summary>
    private async Task<bool> JoinAsync(NodeIdentity identity, CancellationToken stop)
    {
        if (identity.HasJoined)
        {
            return true;
        }
        if (options.Token is not { } token)
        {
            throw new UplinkException($"this node has not joined {options.Controller} yet: give --token (make one there with: nftcluster token create)", isFinal: true);
        }
        BackOff backOff = new(Random.Shared, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10));
        while (true)
        {
            try
            {
                await new Enrollment(identity, time).JoinAsync(options.Controller, token, options.Name, options.Labels, stop);
                say($"joined {options.Controller} as {identity.NodeId} ({options.Name})");
                return true;
            }
            catch (UplinkException failure) when (!failure.IsFinal)
            {
                say($"{failure.Message}; trying again");
            }
            catch (OperationCanceledException)
            {
                return false;
            }
            await Task.Delay(backOff.Next(), time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Failed(ActorFailure failure) => say($"{failure.Path} failed ({failure.Decision}): {failure.Error.Message}");

    private static async Task WhenAsync(CancellationToken token)
    {
        TaskCompletionSource told = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using CancellationTokenRegistration registration = token.Register(told.SetResult);
        await told.Task;
    }
}
