using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using NftCluster.Cli.Views;
using NftCluster.Node.Nftables;
using NftCluster.Node.Nftables.Changes;

namespace NftCluster.Cli.Rules;

/// <summary><c>nftcluster rules show HANDLE</c>: one rule, and where it is. A handle belongs to its table: more than one may have it.</summary>
internal static class RulesShowCommand
{
    public static Command Create()
    {
        Command command = new("show", """
            Show one rule by its handle.

            Examples:
              nftcluster rules show 17
              nftcluster rules show 17 --table filter --chain input
            """);
        Argument<string> handle = Handle();
        command.Arguments.Add(handle);
        RulesPlace place = new RulesPlace().AddTo(command);
        Option<string> format = RulesListCommand.Format(command);
        command.SetAction((parsed, _) => Failures.GuardedAsync(parsed, () =>
        {
            ulong number = NumberOf(parsed.GetValue(handle)!);
            Ruleset ruleset = place.Narrow(parsed, RulesetReader.ReadOnce(place.PathOf(parsed), RuleTexts.Stateful));
            (RulesetChain chain, RulesetRule rule) = Only(ruleset, number, RulesListCommand.Terminal(parsed));
            if (parsed.GetValue(format) == "json")
            {
                var view = ChainView.Of(chain with { Rules = [rule] });
                parsed.InvocationConfiguration.Output.WriteLine(JsonSerializer.Serialize(
                    new PlacedRuleView(ruleset.Generation, NftNames.Of(chain.Table.Family), chain.Table.Name, view with { Rules = [] }, view.Rules[0]), RulesJson.Readable.PlacedRuleView));
            }
            else
            {
                Print(RulesListCommand.Terminal(parsed), chain, rule);
            }
            return Task.FromResult(0);
        }));
        return command;
    }

    public static Argument<string> Handle() => new("HANDLE") { Description = "The number that rules list shows before a rule." };

    public static ulong NumberOf(string text) => ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number) && number > 0
        ? number
        : throw new UsageException($"'{text}' is no handle: give the number that rules list shows before a rule");

    /// <summary>The rule with this handle; where there are several they are listed, and the user is asked to say which.</summary>
    public static (RulesetChain Chain, RulesetRule Rule) Only(Ruleset ruleset, ulong handle, TerminalWriter terminal)
    {
        (RulesetChain Chain, RulesetRule Rule)[] found = [.. ruleset.Chains.SelectMany(chain => chain.Rules.Where(rule => rule.Handle == handle).Select(rule => (chain, rule)))];
        if (found.Length == 1)
        {
            return found[0];
        }
        foreach ((RulesetChain chain, RulesetRule rule) in found)
        {
            terminal.Write($"{chain}", Ink.Strong).Write($"  {rule.Text}").EndLine();
        }
        terminal.Flush();
        throw new RuleChangeException(found.Length == 0
            ? $"no rule has the handle {handle}: nftcluster rules list shows those there are"
            : $"{found.Length} rules have the handle {handle}: say which with --family, --table and --chain");
    }

    private static void Print(TerminalWriter terminal, RulesetChain chain, RulesetRule rule)
    {
        terminal.Write($"{chain} handle {rule.Handle}", Ink.Strong).EndLine();
        terminal.Write($"  rule     {rule.Text ?? "(a text that could not be read)"}").EndLine();
        terminal.Write($"  place    {rule.Position + 1} of {chain.Rules.Count} in the chain").EndLine();
        terminal.Write($"  chain    {(chain.Hook is null ? "not hooked: reached by jump or goto" : chain.Hook.ToString())}").EndLine();
        if (rule.Comment is not null)
        {
            terminal.Write($"  comment  {rule.Comment}").EndLine();
        }
        terminal.Flush();
    }
}
