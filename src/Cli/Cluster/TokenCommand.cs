using System.CommandLine;
using NftCluster.Controller.Cluster;
using NftCluster.Controller.Hosting;

namespace NftCluster.Cli.Cluster;

/// <summary><c>nftcluster token create</c>: with what is printed a node may join.</summary>
internal static class TokenCommand
{
    public static Command Create()
    {
        Command create = new("create", """
            Make a join token; run where the controller runs. It is shown once.

            Examples:
              nftcluster token create
              nftcluster token create --ttl 24h --uses 20
            """);
        Option<string?> ttl = new("--ttl") { Description = "How long nodes may join with it: 30m, 1h, 24h; at most 720h. Default: 1h.", HelpName = "TIME" };
        Option<int> uses = new("--uses") { Description = "How many nodes may join with it.", DefaultValueFactory = _ => 1, HelpName = "N" };
        Option<string> state = new("--state-dir") { Description = "The controller's. Default: /var/lib/nftcluster/controller.", DefaultValueFactory = _ => new ControllerOptions().StateDirectory, HelpName = "DIR" };
        create.Options.Add(ttl);
        create.Options.Add(uses);
        create.Options.Add(state);
        create.SetAction((parsed, cancellation) => Failures.GuardedAsync(parsed, async () =>
        {
            TimeSpan lives = TraceOptions.Time(parsed, ttl, TimeSpan.FromHours(1));
            JoinTokenView made = await LocalController.PostAsync(parsed.GetValue(state)!, "/join-tokens", new TokenOrder((long)lives.TotalSeconds, parsed.GetValue(uses)), LocalJson.Default.TokenOrder, LocalJson.Default.JoinTokenView, cancellation);
            await parsed.InvocationConfiguration.Output.WriteLineAsync(made.Token);
            await parsed.InvocationConfiguration.Error.WriteLineAsync($"nftcluster: for {made.Uses} node{(made.Uses == 1 ? "" : "s")} until {made.ExpiresAt:yyyy-MM-dd HH:mm}Z; on the node: nftcluster node --controller https://THIS-HOST:7444 --token …");
            return 0;
        }));
        return new Command("token", "Join tokens for nodes.") { create };
    }
}
