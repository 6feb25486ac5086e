using System.CommandLine;
using NftCluster.Node.Nftables;
using NftCluster.Node.Nftables.Changes;

namespace NftCluster.Cli.Rules;

/// <summary><c>nftcluster rules add|insert|replace|delete|apply</c>: checked first, made as one transaction, kept so that it can be undone.</summary>
internal static class RuleChangeCommands
{
    private const string HowToConfirm = "Each change is checked first, made as one transaction, logged, and can be taken back with rules undo.";

    public static Command Add() => ForChain(
        "add", "Add a rule at the end of a chain, or behind another one.", "nftcluster rules add inet filter input 'tcp dport 22 accept' --allow-changes", "--after", "Behind the rule with this handle.", ChangePlan.Add);

    public static Command Insert() => ForChain(
        "insert", "Insert a rule at the begin of a chain, or before another one.", "nftcluster rules insert inet filter input 'ip saddr 10.9.0.0/16 drop' --before 17 --allow-changes", "--before", "Before the rule with this handle.", ChangePlan.Insert);

    public static Command Replace()
    {
        Command command = New("replace", "Replace a rule.", "nftcluster rules replace 17 'tcp dport { 22, 80 } accept' --table filter --allow-changes --confirm 30s");
        Argument<string> handle = RulesShowCommand.Handle();
        Argument<string[]> rule = Rule();
        command.Arguments.Add(handle);
        command.Arguments.Add(rule);
        ChangeOptions options = new ChangeOptions().AddTo(command);
        RulesPlace place = new RulesPlace().AddTo(command);
        command.SetAction((parsed, _) => options.RunAsync(parsed, place, ruleset =>
        {
            (RulesetChain chain, RulesetRule old) = RulesShowCommand.Only(place.Narrow(parsed, ruleset), RulesShowCommand.NumberOf(parsed.GetValue(handle)!), RulesListCommand.Terminal(parsed));
            return ChangePlan.Replace(chain, old.Handle, Join(parsed.GetValue(rule)), CommandLineOf(parsed));
        }));
        return command;
    }

    public static Command Delete()
    {
        Command command = New("delete", "Delete a rule.", "nftcluster rules delete 17 --table filter --allow-changes");
        Argument<string> handle = RulesShowCommand.Handle();
        command.Arguments.Add(handle);
        ChangeOptions options = new ChangeOptions().AddTo(command);
        RulesPlace place = new RulesPlace().AddTo(command);
        command.SetAction((parsed, _) => options.RunAsync(parsed, place, ruleset =>
        {
            (RulesetChain chain, RulesetRule old) = RulesShowCommand.Only(place.Narrow(parsed, ruleset), RulesShowCommand.NumberOf(parsed.GetValue(handle)!), RulesListCommand.Terminal(parsed));
            return ChangePlan.Delete(chain, old.Handle, CommandLineOf(parsed));
        }));
        return command;
    }

    public static Command Apply()
    {
        Command command = New("apply", "Apply a file as `nft -f` does. A mistake anywhere in it changes nothing.", "nftcluster rules apply new.nft --allow-changes --confirm 30s");
        Argument<string> file = new("FILE") { Description = "Commands or tables as nft(8) reads them; - is standard input." };
        Option<bool> withoutUndo = new("--no-undo") { Description = "Also where a table could not be brought back (rules of iptables)." };
        command.Arguments.Add(file);
        command.Options.Add(withoutUndo);
        ChangeOptions options = new ChangeOptions().AddTo(command);
        RulesPlace place = new RulesPlace().AddNamespaceTo(command);
        command.SetAction((parsed, _) => options.RunAsync(parsed, place, _ =>
        {
            string name = parsed.GetValue(file)!;
            return ChangePlan.Apply(name == "-" ? "standard input" : name, Content(name), CommandLineOf(parsed), parsed.GetValue(withoutUndo));
        }));
        return command;
    }

    private static Command ForChain(string name, string what, string example, string anchorName, string anchorHelp, Func<RulesetChain, string, ulong?, string, ChangePlan> plan)
    {
        Command command = New(name, what, example);
        Argument<string> family = new("FAMILY") { Description = "inet, ip, ip6, arp, bridge or netdev." };
        family.CompletionSources.Add([.. NftNames.Families]);
        Argument<string> table = new("TABLE") { Description = "The table's name." };
        Argument<string> chain = new("CHAIN") { Description = "The chain's name." };
        Argument<string[]> rule = Rule();
        Option<string?> anchor = TraceOptions.Text(anchorName, "HANDLE", anchorHelp);
        foreach (Argument argument in new Argument[] { family, table, chain, rule })
        {
            command.Arguments.Add(argument);
        }
        command.Options.Add(anchor);
        ChangeOptions options = new ChangeOptions().AddTo(command);
        RulesPlace place = new RulesPlace().AddNamespaceTo(command);
        command.SetAction((parsed, _) => options.RunAsync(parsed, place, ruleset => plan(
            Find(ruleset, parsed.GetValue(family)!, parsed.GetValue(table)!, parsed.GetValue(chain)!),
            Join(parsed.GetValue(rule)),
            parsed.GetValue(anchor) is { } text ? RulesShowCommand.NumberOf(text) : null,
            CommandLineOf(parsed))));
        return command;
    }

    private static Command New(string name, string what, string example) => new(name, $"""
        {what}
        {HowToConfirm}

        Example:
          {example}
        """);

    private static Argument<string[]> Rule() => new("RULE") { Description = "The rule as nft(8) writes it; best in '…'.", Arity = ArgumentArity.OneOrMore };

    private static string Join(string[]? words) => string.Join(' ', words ?? []);

    private static string CommandLineOf(ParseResult parsed) => string.Join(' ', parsed.Tokens.Select(token => token.Value));

    private static RulesetChain Find(Ruleset ruleset, string family, string table, string chain)
    {
        if (!NftNames.TryFamily(family, out NftFamily known))
        {
            throw new UsageException($"'{family}' is no family: give inet, ip, ip6, arp, bridge or netdev, then table, chain and rule");
        }
        return ruleset.FindChain(new RulePlace(known, table, chain, 0))
            ?? throw new RuleChangeException($"there is no chain {family} {table} {chain}: there {RulesPlace.Listed(ruleset.WithoutOurs().Chains)}");
    }

    private static string Content(string name)
    {
        try
        {
            return name == "-" ? Console.In.ReadToEnd() : File.ReadAllText(name);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{name} cannot be read: {unreadable.Message}");
        }
    }
}
