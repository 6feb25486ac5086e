using System.CommandLine;
using System.Runtime.InteropServices;
using NftCluster.Node.Agent;
using NftCluster.Node.Uplink;

namespace NftCluster.Cli.Nodes;

/// <summary><c>nftcluster node</c>: this host as a node of a controller's cluster, until it is told to stop.</summary>
internal static class NodeCommand
{
    public static Command Create()
    {
        Command command = new("node", """
            Run this host as a node: it joins a controller, runs the sessions that the controller wants, and keeps what it saw
            until the controller has stored it. SIGTERM ends it in order; its sessions go on at the next start.

            Examples:
              nftcluster node --controller https://10.0.0.1 --token NFT1.4f3c….kT9…     the first time: joins
              nftcluster node --controller https://10.0.0.1                             from then on
              nftcluster node --controller https://10.0.0.1 --netns line-r1 --name r1 --label site=berlin --state-dir /var/lib/nftcluster/r1
              nftcluster node --check
            """);
        foreach (Command known in Client.NodeListCommands.Create())
        {
            command.Subcommands.Add(known);
        }
        NodeOptions options = new NodeOptions().AddTo(command);
        command.SetAction((parsed, cancellation) => Failures.GuardedAsync(parsed, () => RunAsync(options, parsed, cancellation)));
        return command;
    }

    private static async Task<int> RunAsync(NodeOptions options, ParseResult parsed, CancellationToken cancellation)
    {
        AgentOptions node = options.Bind(parsed, Environment.GetEnvironmentVariable);
        if (parsed.GetValue(options.Check))
        {
            return await CheckAsync(node, parsed.InvocationConfiguration.Output);
        }
        if (!Environment.IsPrivilegedProcess)
        {
            throw new UsageException("a node traces the kernel, which needs root: run it with sudo");
        }
        var error = TextWriter.Synchronized(parsed.InvocationConfiguration.Error);
        using ReadyFile? ready = options.ReadyFile(parsed) is { } path ? ReadyFile.Claim(path) : null;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        await new AgentHost(node, TimeProvider.System, line => error.WriteLine($"nftcluster: {line}")).RunAsync(() => ready?.Write(), stop.Token);
        await error.WriteLineAsync("nftcluster: stopped; what the controller does not have yet is in the spool");
        return 0;

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true; // in order: sessions end, the spool is written
            stop.Cancel();
        }
    }

    private static async Task<int> CheckAsync(AgentOptions node, TextWriter output)
    {
        bool hasJoined = File.Exists(Path.Combine(node.StateDirectory, "identity", "certificate.pem"));
        await output.WriteLineAsync($"node {node.Name}{string.Concat(node.Labels.Select(l => $" {l.Key}={l.Value}"))} of {node.Controller}, router of {(node.Netns is null ? "its own network namespace" : $"network namespace {node.Netns}")}");
        await output.WriteLineAsync($"state in {node.StateDirectory}: {(hasJoined ? $"joined as {new NodeIdentity(node.StateDirectory).NodeId}" : "not joined yet")}; spool of at most {node.Spool.MostBytes >> 20} MiB and {node.Spool.MostAge.TotalHours:0} h");
        if (!hasJoined && node.Token is null)
        {
            throw new UsageException("not joined yet, and no token is given: it could not start (make one with: nftcluster token create)");
        }
        return 0;
    }
}
