using System.CommandLine;
using NftCluster.Node.Kernel;
using NftCluster.Node.Nftables.Changes;

namespace NftCluster.Cli.Rules;

/// <summary><c>nftcluster rules undo</c> and <c>confirm</c>.</summary>
internal static class RulesUndoCommands
{
    public static Command Undo()
    {
        Command command = new("undo", """
            Take the newest change back; again for the one before.
            One rule's change touches nothing else. After `apply` the tables it changed come back as they were, counters and set elements
            included, and other tables are left alone.

            Examples:
              nftcluster rules undo
              nftcluster rules undo 20260102-030405.678-4711 --force
            """);
        Argument<string?> id = new("ID") { Description = "A change of rules log. Default: the newest of this namespace.", Arity = ArgumentArity.ZeroOrOne };
        Option<bool> force = new("--force") { Description = "Also where somebody else has changed the same tables since." };
        id.Validators.Add(given =>
        {
            if (given.Tokens is [{ Value: ['-', ..] option }])
            {
                given.AddError($"rules undo has no option {option}");
            }
        });
        command.Arguments.Add(id);
        command.Options.Add(force);
        Option<string> state = ChangeOptions.State();
        command.Options.Add(state);
        RulesPlace place = new RulesPlace().AddNamespaceTo(command);
        command.SetAction((parsed, _) => Failures.GuardedAsync(parsed, () =>
        {
            var store = ChangeStore.Open(parsed.GetValue(state)!);
            ChangeOutcome outcome = NetworkNamespace.Run(place.PathOf(parsed), () => Changer(parsed, place, store).Undo(parsed.GetValue(id), parsed.GetValue(force), string.Join(' ', parsed.Tokens.Select(token => token.Value))));
            ChangeOptions.PrintChanges(RulesListCommand.Terminal(parsed), outcome.Changes);
            parsed.InvocationConfiguration.Error.WriteLine($"nftcluster: change {outcome.Id} is taken back");
            return Task.FromResult(0);
        }));
        return command;
    }

    public static Command Confirm()
    {
        Command command = new("confirm", """
            Keep the change that waits for it (--confirm).

            Example:
              nftcluster rules confirm
            """);
        Option<string> state = ChangeOptions.State();
        command.Options.Add(state);
        RulesPlace place = new RulesPlace().AddNamespaceTo(command);
        command.SetAction((parsed, _) => Failures.GuardedAsync(parsed, () =>
        {
            var store = ChangeStore.Open(parsed.GetValue(state)!);
            (string kept, bool guarded) = Changer(parsed, place, store).Confirm();
            parsed.InvocationConfiguration.Error.WriteLine($"nftcluster: change {kept} stays{(guarded ? "" : " (its guard was gone already: it would not have been undone)")}");
            return Task.FromResult(0);
        }));
        return command;
    }

    private static RulesetChanger Changer(ParseResult parsed, RulesPlace place, ChangeStore store) =>
        new(store, place.NameOf(parsed), NetworkNamespace.Inode(place.PathOf(parsed)), TimeProvider.System, Author.Current());
}
