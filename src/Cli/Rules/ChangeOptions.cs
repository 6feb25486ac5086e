using System.CommandLine;
using NftCluster.Cli.Views;
using NftCluster.Node.Kernel;
using NftCluster.Node.Nftables;
using NftCluster.Node.Nftables.Changes;

namespace NftCluster.Cli.Rules;

/// <summary>What every changing command asks for, and how it is carried out.</summary>
internal sealed class ChangeOptions
{
    private const int LongestConfirmSeconds = 24 * 3600;

    private readonly Option<bool> _allow = new("--allow-changes") { Description = "Yes, change the firewall." };
    private readonly Option<string?> _confirm = TraceOptions.Text("--confirm", "TIME", "Undo it by itself after this time (30s, 5m) unless rules confirm comes.");
    private readonly Option<string> _state = State();

    public static Option<string> State() => new("--state")
    {
        Description = "Where changes, log and undo are kept.",
        HelpName = "DIR",
        DefaultValueFactory = _ => ChangeStore.DefaultDirectory,
    };

    public ChangeOptions AddTo(Command command)
    {
        foreach (Option option in new Option[] { _allow, _confirm, _state })
        {
            command.Options.Add(option);
        }
        return this;
    }

    /// <summary>The plan is made from the ruleset as it is now, inside the namespace.</summary>
    public Task<int> RunAsync(ParseResult parsed, RulesPlace place, Func<Ruleset, ChangePlan> plan) => Failures.GuardedAsync(parsed, () =>
    {
        if (!parsed.GetValue(_allow))
        {
            throw new UsageException($"rules {parsed.CommandResult.Command.Name} changes the firewall: say so with --allow-changes");
        }
        int? seconds = parsed.GetValue(_confirm) is null ? null : Seconds(parsed);
        string path = place.PathOf(parsed);
        ChangePlan wanted = plan(RulesetReader.ReadOnce(path, RuleTexts.Stateless));
        var store = ChangeStore.Open(parsed.GetValue(_state)!);
        ChangeOutcome outcome = NetworkNamespace.Run(path, () =>
        {
            uint inode = NetworkNamespace.Inode("/proc/thread-self/ns/net");
            RulesetChanger changer = new(store, place.NameOf(parsed), inode, TimeProvider.System, Author.Current());
            return changer.Make(wanted, seconds is { } wait ? new GuardProcess(store, inode, wait) : null);
        });
        Report(parsed, outcome, seconds, place.Words(parsed) + (store.Directory == ChangeStore.DefaultDirectory ? "" : $" --state {store.Directory}"));
        return Task.FromResult(0);
    });

    private int Seconds(ParseResult parsed) => (int)Math.Ceiling(TraceOptions.Time(parsed, _confirm, default).TotalSeconds) is var seconds and <= LongestConfirmSeconds
        ? seconds
        : throw new UsageException("--confirm waits a day at most: give 30s, 5m or 1h");

    private static void Report(ParseResult parsed, ChangeOutcome outcome, int? seconds, string where)
    {
        TerminalWriter terminal = RulesListCommand.Terminal(parsed);
        PrintChanges(terminal, outcome.Changes);
        TextWriter error = parsed.InvocationConfiguration.Error;
        error.WriteLine(!outcome.CanUndo ? "nftcluster: applied, and nothing differs"
            : seconds is { } wait ? $"nftcluster: change {outcome.Id} is undone in {wait} s unless you say: nftcluster rules confirm{where}"
            : $"nftcluster: change {outcome.Id} made; nftcluster rules undo{where} takes it back");
    }

    public static void PrintChanges(TerminalWriter terminal, IReadOnlyList<RulesetChange> changes)
    {
        foreach (RulesetChange change in changes)
        {
            bool added = change.Kind == ChangeKind.Added;
            terminal.Write($"{(added ? '+' : '-')} {change}", added ? Ink.Good : Ink.Bad).EndLine();
        }
        terminal.Flush();
    }
}
