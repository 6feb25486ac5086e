using System.CommandLine;
using NftCluster.Cli.Nodes;
using NftCluster.Controller.Cluster;
using NftCluster.Controller.Hosting;
using NftCluster.Controller.Sessions;
using NftCluster.Messages.Link;
using NftCluster.Node.Agent;
using NftCluster.Node.Spool;
using NftCluster.Node.Uplink;

namespace NftCluster.Cli.Cluster;

/// <summary><c>nftcluster up</c>: controller and node in one process, for one host; more nodes may join later.</summary>
internal static class UpCommand
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    public static Command Create()
    {
        Command command = new("up", """
            Run a controller and this host's node together. Further hosts join as to any controller.

            Examples:
              nftcluster up
              nftcluster up --state-dir ./state --name gateway
            """);
        ControllerFlags flags = new ControllerFlags().AddTo(command);
        Option<string?> name = TraceOptions.Text("--name", "NAME", "How people call this host's node. Default: the host's name.");
        Option<string?> netns = TraceOptions.Text("--netns", "NAME", "The network namespace that the node is the router of. Default: its own.");
        Option<bool> allowChanges = NodeOptions.AllowChangesFlag();
        command.Options.Add(name);
        command.Options.Add(allowChanges);
        command.Options.Add(netns);
        command.SetAction((parsed, cancellation) => Failures.GuardedAsync(parsed, async () =>
        {
            if (!Environment.IsPrivilegedProcess)
            {
                throw new UsageException("the node traces the kernel, which needs root: run it with sudo, or only the controller with nftcluster controller");
            }
            ControllerOptions options = flags.Read(parsed);
            var error = TextWriter.Synchronized(parsed.InvocationConfiguration.Error);
            using StopOrder stop = new(cancellation);
            using LineLog log = new(error);
            await using ControllerHost host = await ControllerHost.StartAsync(options, SessionCompiler.Check, TimeProvider.System, log, stop.Token);
            await error.WriteLineAsync($"nftcluster: ready at {ControllerCommand.WebAddress(options, host)}; state in {options.StateDirectory}; Ctrl-C stops");
            await error.WriteLineAsync($"nftcluster: next: nftcluster token create --state-dir {options.StateDirectory}, and on another host: nftcluster node --controller https://THIS-HOST:{host.NodePort} --token …");
            await ControllerCommand.WriteLoginAsync(error, options, host);
            AgentOptions node = (await NodeAsync(options, host, parsed.GetValue(name) ?? Environment.MachineName, parsed.GetValue(netns), stop.Token)) with { AllowsChanges = parsed.GetValue(allowChanges) };
            // The node ends first: what its sessions saw is handed over while the controller still takes it.
            await new AgentHost(node, TimeProvider.System, line => error.WriteLine($"nftcluster: node: {line}")).RunAsync(() => { }, stop.Token);
            return 0;
        }));
        return command;
    }

    private static async Task<AgentOptions> NodeAsync(ControllerOptions options, ControllerHost host, string name, string? netns, CancellationToken cancellation)
    {
        string directory = Path.Combine(options.StateDirectory, "node");
        string address = $"https://{(options.Address.Length > 0 ? options.Address : "127.0.0.1")}:{host.NodePort}";
        if (!ControllerAddress.TryParse(address, out ControllerAddress? controller) || controller is null)
        {
            throw new UsageException($"the node cannot reach its controller at {address}: give --address an address of this host");
        }
        Result<JoinTokenView> made = await host.Cluster.AskAsync<Result<JoinTokenView>>(reply => new CreateJoinToken(TimeSpan.FromMinutes(5), 1, "nftcluster up", reply), _patience, cancellation);
        if (!JoinToken.TryParse(made.Value?.Token ?? throw new UsageException(made.Error!.Text), out JoinToken? token))
        {
            throw new InvalidOperationException("the controller made a token that no node can read");
        }
        return new AgentOptions
        {
            Controller = controller,
            Token = token,
            Name = name,
            Netns = netns,
            StateDirectory = directory,
            Spool = new SpoolOptions { Directory = Path.Combine(directory, "spool") },
        };
    }
}
