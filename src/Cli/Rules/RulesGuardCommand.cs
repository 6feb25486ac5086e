using System.CommandLine;
using NftCluster.Node.Nftables.Changes;

namespace NftCluster.Cli.Rules;

/// <summary>The guard's own process: started by a change with --confirm, of no use to a person.</summary>
internal static class RulesGuardCommand
{
    public static Command Create()
    {
        Command command = new(GuardProcess.Command, "Started by --confirm: undoes a change that is not confirmed.") { Hidden = true };
        Option<string> state = ChangeOptions.State();
        Option<string> id = new("--id") { Required = true };
        Option<int> seconds = new("--seconds") { Required = true };
        command.Options.Add(state);
        command.Options.Add(id);
        command.Options.Add(seconds);
        command.SetAction((parsed, _) => Failures.GuardedAsync(parsed, () =>
        {
            new ChangeGuard(ChangeStore.Open(parsed.GetValue(state)!), parsed.GetValue(id)!, parsed.GetValue(seconds), TimeProvider.System).Run(parsed.InvocationConfiguration.Output);
            return Task.FromResult(0);
        }));
        return command;
    }
}
