using NftCluster.Messages.Link;
using NftCluster.Node.Kernel;
using NftCluster.Node.Nftables;
using NftCluster.Node.Nftables.Changes;
using NftCluster.Node.Sessions;

namespace NftCluster.Node.Agent;

/// <summary>
/// What became of a change that the controller ordered. Its id is the one that <c>nftcluster rules log</c> on the host shows and undo
/// takes; after <c>confirm_seconds</c> it is undone by itself unless <c>confirm</c> comes, null = it stays.
/// </summary>
internal sealed record RuleChangeAnswer(string Id, string Action, IReadOnlyList<string> Removed, IReadOnlyList<string> Added, bool CanUndo, int? ConfirmSeconds);

/// <summary>Carries a change out that an admin of the controller ordered, as <c>nftcluster rules</c> would on the host: checked, one transaction, logged, kept for undo.</summary>
internal static class RuleChangeOrder
{
    private const int LongestConfirmSeconds = 24 * 3600;

    /// <summary>Throws <see cref="RefusedException"/> or <see cref="RuleChangeException"/>; then nothing was changed.</summary>
    public static RuleChangeAnswer Carry(RuleChange order, AgentOptions options)
    {
        if (!options.AllowsChanges)
        {
            throw new RefusedException(RefusedException.Forbidden, $"node {options.Name} lets nobody change its ruleset from afar: start it with --allow-changes (\"allow_changes\" in its configuration)");
        }
        string path = SessionWants.PathOf(options.Netns) ?? NetworkNamespace.Own;
        uint inode = NetworkNamespace.Inode(path);
        var store = ChangeStore.Open(options.ChangesDirectory);
        RulesetChanger changer = new(store, options.Netns ?? RulesetChanger.OwnNamespace, inode, TimeProvider.System, Author.Current() with { ControllerUser = order.Author });
        string command = $"{order.Action} by {order.Author} through the controller";
        switch (order.Action)
        {
            case "confirm":
                return new RuleChangeAnswer(changer.Confirm().Id, order.Action, [], [], CanUndo: true, null);
            case "undo":
                return Answer(order, NetworkNamespace.Run(path, () => changer.Undo(order.ChangeId.Length == 0 ? null : order.ChangeId, order.Force, command)), null);
        }
        int? seconds = order.ConfirmS == 0 ? null
            : order.ConfirmS <= LongestConfirmSeconds ? (int)order.ConfirmS
            : throw new RefusedException(RefusedException.Invalid, $"a change waits {LongestConfirmSeconds} s for its confirmation at most");
        ChangePlan plan = Plan(order, path, command);
        return Answer(order, NetworkNamespace.Run(path, () => changer.Make(plan, seconds is { } wait ? new GuardProcess(store, inode, wait) : null)), seconds);
    }

    private static ChangePlan Plan(RuleChange order, string path, string command)
    {
        if (order.Action == "apply")
        {
            return ChangePlan.Apply("the script", order.Script, command, order.WithoutUndo);
        }
        RulesetChain chain = Chain(order, RulesetReader.ReadOnce(path, RuleTexts.Stateless));
        ulong? anchor = order.Anchor == 0 ? null : order.Anchor;
        return order.Action switch
        {
            "add" => ChangePlan.Add(chain, order.Rule, anchor, command),
            "insert" => ChangePlan.Insert(chain, order.Rule, anchor, command),
            "replace" => ChangePlan.Replace(chain, order.Handle, order.Rule, command),
            "delete" => ChangePlan.Delete(chain, order.Handle, command),
            _ => throw new RefusedException(RefusedException.NotKnown, $"this version of the node knows no change '{order.Action}'"),
        };
    }

    private static RulesetChain Chain(RuleChange order, Ruleset ruleset) =>
        !NftNames.TryFamily(order.Family, out NftFamily family)
            ? throw new RefusedException(RefusedException.Invalid, $"'{order.Family}' is no family: inet, ip, ip6, arp, bridge or netdev")
            : ruleset.FindChain(new RulePlace(family, order.Table, order.Chain, 0))
                ?? throw new RefusedException(RefusedException.NotFound, $"there is no chain {order.Family} {order.Table} {order.Chain}");

    private static RuleChangeAnswer Answer(RuleChange order, ChangeOutcome outcome, int? seconds) => new(
        outcome.Id,
        order.Action,
        [.. outcome.Changes.Where(change => change.Kind == ChangeKind.Removed).Select(change => change.ToString())],
        [.. outcome.Changes.Where(change => change.Kind == ChangeKind.Added).Select(change => change.ToString())],
        outcome.CanUndo,
        seconds);
}
