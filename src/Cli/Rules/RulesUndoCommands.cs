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
        command.Arguments.Add(id);
        command.Options.Add(force);
        Option<string> state = ChangeOptions.State();
        command.Options.Add(state);
        RulesPlace place = new RulesPlace().AddNamespaceTo(command);
        command.SetAction((parsed, _) => Failures.GuardedAsync(parsed, () =>
        {
            var store = ChangeStore.Open(parsed.GetValue(state)!);
            ChangeOutcome outcome = NetworkNamespace.Run(place.PathOf(parsed), () => Undo(parsed, store, place.NameOf(parsed), parsed.GetValue(id), parsed.GetValue(force)));
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
            uint inode = NetworkNamespace.Inode(place.PathOf(parsed));
            using IDisposable turn = store.Lock();
            PendingConfirmation pending = store.Pending(inode) ?? throw new RuleChangeException("no change waits for a confirmation: it was undone or confirmed already (nftcluster rules log)");
            bool guarded = ChangeGuard.IsAlive(pending);
            store.ClearPending(inode);
            store.Log(RulesetChanger.Confirmed(pending, TimeProvider.System));
            parsed.InvocationConfiguration.Error.WriteLine($"nftcluster: change {pending.Id} stays{(guarded ? "" : " (its guard was gone already: it would not have been undone)")}");
            return Task.FromResult(0);
        }));
        return command;
    }

    private static ChangeOutcome Undo(ParseResult parsed, ChangeStore store, string netns, string? id, bool force)
    {
        uint inode = NetworkNamespace.Inode("/proc/thread-self/ns/net");
        using IDisposable turn = store.Lock();
        ChangeFile change = (id is null ? store.Newest(inode) : store.Find(id))
            ?? throw new RuleChangeException(id is null ? $"there is no change to take back in this namespace ({store.Directory})" : $"there is no change {id}: nftcluster rules log lists them");
        if (change.Status == ChangeStatus.Undone || change.NetnsInode != inode)
        {
            throw new RuleChangeException(change.Status == ChangeStatus.Undone ? $"change {change.Id} is taken back already" : $"change {change.Id} was made in another namespace ({change.Netns}): give --netns");
        }
        return new RulesetChanger(store, netns, inode, TimeProvider.System).Undo(change, force, "undo", string.Join(' ', parsed.Tokens.Select(token => token.Value)));
    }
}
