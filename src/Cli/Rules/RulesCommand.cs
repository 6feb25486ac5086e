using System.CommandLine;

namespace NftCluster.Cli.Rules;

/// <summary><c>nftcluster rules</c>: the ruleset of one namespace, seen and changed.</summary>
internal static class RulesCommand
{
    public static Command Create() => new("rules", """
        See and change the nftables ruleset.

        Examples:
          nftcluster rules list --table filter
          nftcluster rules show 17
          nftcluster rules watch
          nftcluster rules add inet filter input 'tcp dport 22 accept' --allow-changes
          nftcluster rules apply new.nft --allow-changes --confirm 30s
          nftcluster rules confirm
          nftcluster rules undo
        """)
    {
        RulesListCommand.Create(),
        RulesShowCommand.Create(),
        RulesWatchCommand.Create(),
        RulesExportCommand.Create(),
        RuleChangeCommands.Add(),
        RuleChangeCommands.Insert(),
        RuleChangeCommands.Replace(),
        RuleChangeCommands.Delete(),
        RuleChangeCommands.Apply(),
        RulesUndoCommands.Undo(),
        RulesUndoCommands.Confirm(),
        RulesLogCommand.Create(),
        RulesGuardCommand.Create(),
    };
}
