using System.Globalization;

namespace NftCluster.Node.Nftables.Changes;

/// <summary>A change that was made.</summary>
internal sealed record ChangeOutcome(string Id, IReadOnlyList<RulesetChange> Changes, bool CanUndo);

/// <summary>Makes changes and takes them back; runs on a thread inside the namespace, one change at a time per state directory.</summary>
internal sealed class RulesetChanger(ChangeStore store, string netns, uint netnsInode, TimeProvider time, Author who)
{
    /// <summary>What a namespace is called that nobody named.</summary>
    public const string OwnNamespace = "this one";

    private static readonly string[] _anyTable = ["flush ruleset", "include", "define", "$"];

    /// <summary>As it must be said again in the next command.</summary>
    private string Where => netns == OwnNamespace ? "" : $" --netns {netns}";

    /// <summary>
    /// 1 look at what is there · 2 let the kernel check it all · 3 keep what takes it back · 4 start the guard, if one is wanted ·
    /// 5 change, as one transaction · 6 say what became of it. Before 5 nothing is changed, whatever fails.
    /// </summary>
    public ChangeOutcome Make(ChangePlan plan, GuardProcess? guard)
    {
        using IDisposable turn = store.Lock();
        if (store.Pending(netnsInode) is { } waiting)
        {
            throw new RuleChangeException($"change {waiting.Id} still waits: nftcluster rules confirm{Where}, or rules undo{Where}");
        }
        // 1
        var before = RulesetPicture.Take();
        Ruleset withCounters = Counters();
        using ChangeScript script = new(store, plan);
        // 2
        Refuse(plan, before, script);
        // 3
        ChangeFile change = Prepare(plan, before);
        store.Save(change);
        NftResult result;
        try
        {
            // 4
            guard?.Begin(change.Id);
            // 5
            result = script.Run();
        }
        catch
        {
            GiveUp(change, guard);
            throw;
        }
        if (!result.Ok)
        {
            GiveUp(change, guard);
            throw new RuleChangeException(Complaint(plan, script.Complaint(result), before.Rules));
        }
        // 6
        return Finish(plan, change, before, withCounters, result.Output, guard);
    }

    /// <summary>Takes the named change of this namespace back, or the newest.</summary>
    public ChangeOutcome Undo(string? id, bool force, string command)
    {
        using IDisposable turn = store.Lock();
        ChangeFile change = (id is null ? store.Newest(netnsInode) : store.Find(id))
            ?? throw new RuleChangeException(id is null ? $"there is no change to take back in this namespace ({store.Directory})" : $"there is no change {id}: nftcluster rules log lists them");
        if (change.Status == ChangeStatus.Undone || change.NetnsInode != netnsInode)
        {
            throw new RuleChangeException(change.Status == ChangeStatus.Undone ? $"change {change.Id} is taken back already" : $"change {change.Id} was made in another namespace ({change.Netns}): give --netns");
        }
        return Undo(change, force, "undo", command);
    }

    /// <summary>Takes a change back; with <paramref name="force"/> also over what others have changed since in the same tables.</summary>
    public ChangeOutcome Undo(ChangeFile change, bool force, string action, string command)
    {
        var now = RulesetPicture.Take();
        using var nft = NftContext.Open();
        string script = UndoScript(change, now, force, nft);
        NftResult result = nft.Run(script);
        if (!result.Ok)
        {
            throw new RuleChangeException($"change {change.Id} cannot be taken back: {result.FirstError}");
        }
        var after = RulesetPicture.Take();
        store.Save(change with { Status = ChangeStatus.Undone });
        if (store.Pending(netnsInode)?.Id == change.Id)
        {
            store.ClearPending(netnsInode);
        }
        IReadOnlyList<RulesetChange> changes = Log(change.Id, action, command, now, after, null, $"takes back: {change.Command}");
        return new ChangeOutcome(change.Id, changes, CanUndo: false);
    }

    private static Ruleset Counters()
    {
        using RulesetReader reader = new();
        return reader.Read(RuleTexts.Stateful);
    }

    private static void Refuse(ChangePlan plan, RulesetPicture before, ChangeScript script)
    {
        NftResult check = script.Check();
        if (!check.Ok)
        {
            throw new RuleChangeException(Complaint(plan, script.Complaint(check), before.Rules));
        }
        if (plan.Place is not null || plan.WithoutUndo)
        {
            return;
        }
        using var nft = NftContext.Open();
        // A table with rules of iptables or of a newer nft prints what this nft cannot read back.
        foreach (TableText table in before.Tables.Where(table => !table.Owned && MayTouch(plan.Script, table)))
        {
            if (table.Text is null || !nft.Check(RulesetPicture.RestoreScript([table])).Ok)
            {
                throw new RuleChangeException($"{plan.FileName} may change table {table.Key}, which nft cannot read back, so that rules undo could not help: change it with the program that made it, or give --no-undo");
            }
        }
    }

    /// <summary>Includes and variables may name any table.</summary>
    private static bool MayTouch(string script, TableText table) =>
        script.Contains(table.Name, StringComparison.Ordinal) || _anyTable.Any(word => script.Contains(word, StringComparison.Ordinal));

    private static string Complaint(ChangePlan plan, string line, Ruleset rules)
    {
        string owned = string.Join(", ", rules.Tables.Where(table => table.IsOwned && !table.IsOurs && plan.Script.Contains(table.Name, StringComparison.Ordinal)));
        string hint = line.Contains("not permitted", StringComparison.Ordinal) && owned.Length > 0 ? $" ({owned} belongs to another program: only that program can change it)" : "";
        return $"nft refuses it, nothing was changed: {line}{hint}";
    }

    private static string UndoScript(ChangeFile change, RulesetPicture now, bool force, NftContext nft)
    {
        if (change.Undo is { } one && one.Expects.All(rule => IsThere(rule, now.Rules)) && nft.Check(one.Script).Ok)
        {
            return one.Script;
        }
        IReadOnlyList<string> changed = change.Changed is null ? RulesetPicture.Differing(change.Before, now.Tables) : [.. change.Changed.Select(table => table.Key)];
        string? foreign = change.Changed?.FirstOrDefault(table => now.Find(table.Key)?.Stateless != table.Stateless)?.Key;
        if (foreign is not null && !force)
        {
            throw new RuleChangeException($"table {foreign} was changed since by somebody else: rules undo --force brings it back as it was before {change.Id}, without that change");
        }
        string script = RulesetPicture.RestoreScript(changed.Select(key => change.Before.FirstOrDefault(table => table.Key == key) ?? Gone(key)));
        NftResult check = nft.Check(script);
        return check.Ok ? script : throw new RuleChangeException($"change {change.Id} cannot be taken back: {check.FirstError}");
    }

    private static TableText Gone(string key) => new(key.Split(' ', 2)[0], key.Split(' ', 2)[1], Owned: false, Text: null, Stateless: null);

    private static bool IsThere(ExpectedRule rule, Ruleset rules) =>
        NftNames.TryFamily(rule.Family, out NftFamily family) && rules.FindRule(new RulePlace(family, rule.Table, rule.Chain, rule.Handle))?.Text == rule.Text;

    private ChangeFile Prepare(ChangePlan plan, RulesetPicture before)
    {
        DateTimeOffset now = time.GetUtcNow();
        return new ChangeFile
        {
            Id = $"{now.ToString("yyyyMMdd-HHmmss.fff", CultureInfo.InvariantCulture)}-{Environment.ProcessId}",
            Time = Now(),
            Action = NameOf(plan.Action),
            Command = plan.Command,
            Netns = netns,
            NetnsInode = netnsInode,
            Status = ChangeStatus.Prepared,
            Before = before.Tables,
        };
    }

    private void GiveUp(ChangeFile change, GuardProcess? guard)
    {
        guard?.GiveUp();
        store.Remove(change);
    }

    private ChangeOutcome Finish(ChangePlan plan, ChangeFile change, RulesetPicture before, Ruleset withCounters, string echo, GuardProcess? guard)
    {
        var after = RulesetPicture.Take();
        IReadOnlyList<string> changed = RulesetPicture.Differing(before.Tables, after.Tables);
        RuleUndo? undo = UndoPlanner.For(plan, before.Rules, withCounters, after.Rules, echo);
        if (changed.Count == 0 && undo is null)
        {
            GiveUp(change, guard);
        }
        else
        {
            store.Save(change with
            {
                Status = ChangeStatus.Applied,
                Changed = [.. changed.Select(key => after.Find(key) is { } table ? table with { Text = null } : Gone(key))],
                Undo = undo,
            });
        }
        string? note = changed.Count == 0 ? "changed nothing"
            : after.Rules.Generation - before.Rules.Generation > 1 ? "somebody else changed the ruleset at the same time" : null;
        IReadOnlyList<RulesetChange> changes = Log(change.Id, change.Action, plan.Command, before, after, guard?.Seconds, note);
        return new ChangeOutcome(change.Id, changes, changed.Count > 0 || undo is not null);
    }

    private IReadOnlyList<RulesetChange> Log(string id, string action, string command, RulesetPicture before, RulesetPicture after, int? confirmSeconds, string? note)
    {
        IReadOnlyList<RulesetChange> changes = RulesetDiff.Between(before.Rules.WithoutOurs(), after.Rules.WithoutOurs());
        store.Log(new ChangeLogEntry
        {
            Id = id,
            Time = Now(),
            Action = action,
            Command = command,
            Netns = netns,
            Who = who,
            GenerationBefore = before.Rules.Generation,
            GenerationAfter = after.Rules.Generation,
            ConfirmSeconds = confirmSeconds,
            Tables = RulesetPicture.Differing(before.Tables, after.Tables),
            Before = Lines(changes, ChangeKind.Removed),
            After = Lines(changes, ChangeKind.Added),
            Note = note,
        });
        return changes;
    }

    /// <summary>A line for the log about what could not be done.</summary>
    public ChangeLogEntry Failed(string id, string action, string why) => new()
    {
        Id = id,
        Time = Now(),
        Action = action,
        Command = "",
        Netns = netns,
        Who = who,
        Note = $"failed: {why}",
    };

    /// <summary>Keeps the change that waits for it; false where its guard was gone already.</summary>
    public (string Id, bool WasGuarded) Confirm()
    {
        using IDisposable turn = store.Lock();
        PendingConfirmation pending = store.Pending(netnsInode) ?? throw new RuleChangeException("no change waits for a confirmation: it was undone or confirmed already (nftcluster rules log)");
        bool guarded = ChangeGuard.IsAlive(pending);
        store.ClearPending(netnsInode);
        store.Log(new ChangeLogEntry { Id = pending.Id, Time = Now(), Action = "confirm", Command = "", Netns = pending.Netns, Who = who });
        return (pending.Id, guarded);
    }

    private string Now() => time.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);

    private static string NameOf(ChangeAction action) => action switch
    {
        ChangeAction.Add => "add",
        ChangeAction.Insert => "insert",
        ChangeAction.Replace => "replace",
        ChangeAction.Delete => "delete",
        _ => "apply",
    };

    private static string[] Lines(IReadOnlyList<RulesetChange> changes, ChangeKind kind) => [.. changes.Where(change => change.Kind == kind).Select(change => change.ToString())];
}
