using System.CommandLine;
using System.Text;
using System.Text.Json;
using NftCluster.Cli.Views;
using NftCluster.Node.Nftables;

namespace NftCluster.Cli.Rules;

/// <summary><c>nftcluster rules list</c>: tables, chains and rules with their handles.</summary>
internal static class RulesListCommand
{
    public static Command Create()
    {
        Command command = new("list", """
            List tables, chains and rules with their handles.

            Examples:
              nftcluster rules list
              nftcluster rules list --family inet --table filter --chain input
              nftcluster rules list -o json | jq '.tables[].chains[].rules[].text'
            """);
        RulesPlace place = new RulesPlace().AddTo(command);
        Option<string> format = Format(command);
        command.SetAction((parsed, _) => Failures.GuardedAsync(parsed, () =>
        {
            Ruleset ruleset = place.Narrow(parsed, RulesetReader.ReadOnce(place.PathOf(parsed), RuleTexts.Stateful));
            if (parsed.GetValue(format) == "json")
            {
                parsed.InvocationConfiguration.Output.WriteLine(JsonSerializer.Serialize(RulesetView.Of(ruleset), RulesJson.Readable.RulesetView));
            }
            else
            {
                TerminalWriter terminal = Terminal(parsed);
                Print(terminal, ruleset);
                terminal.Flush();
            }
            return Task.FromResult(0);
        }));
        return command;
    }

    public static Option<string> Format(Command command)
    {
        Option<string> format = new("--output", "-o") { Description = "text or json.", HelpName = "FORMAT", DefaultValueFactory = _ => "text" };
        format.AcceptOnlyFromAmong("text", "json");
        command.Options.Add(format);
        return format;
    }

    public static TerminalWriter Terminal(ParseResult parsed) =>
        new(parsed.InvocationConfiguration.Output, TerminalWriter.WantsColour(!Console.IsOutputRedirected, Environment.GetEnvironmentVariable));

    private static void Print(TerminalWriter terminal, Ruleset ruleset)
    {
        const string Between = "  ";
        int width = Math.Max(3, ruleset.Chains.SelectMany(chain => chain.Rules).Select(rule => $"{rule.Handle}".Length).DefaultIfEmpty(0).Max());
        foreach (RulesetTable table in ruleset.Tables)
        {
            terminal.Write($"table {table}", Ink.Strong).Write(Notes(table), Ink.Dim).EndLine();
            foreach (RulesetChain chain in ruleset.ChainsOf(table))
            {
                terminal.Write($"{Between}chain {chain.Name}", Ink.Strong).Write(chain.Hook is null ? "" : $"{Between}{chain.Hook}").Write(chain.Comment is null ? "" : $"{Between}\"{chain.Comment}\"", Ink.Dim).EndLine();
                foreach (RulesetRule rule in chain.Rules)
                {
                    terminal.Write(Between + Between).WriteColumn($"{rule.Handle}", -width, Ink.Dim).Write(Between).Write(rule.Text ?? "(a text that could not be read)").EndLine();
                }
            }
        }
        if (ruleset.Tables.Count == 0)
        {
            terminal.Write("no tables").EndLine();
        }
    }

    private static string Notes(RulesetTable table)
    {
        StringBuilder notes = new();
        notes.Append(table.IsOwned ? $"  owned by netlink port {table.OwnerPort}: only that program can change it" : "");
        notes.Append(table.IsDormant ? "  dormant" : "");
        return notes.Append(table.Comment is null ? "" : $"  \"{table.Comment}\"").ToString();
    }
}
