using System.CommandLine;
using System.Text.Json;
using NftCluster.Cli.Views;
using NftCluster.Node.Nftables.Changes;

namespace NftCluster.Cli.Rules;

/// <summary><c>nftcluster rules log</c>: every change with who, when, before and after.</summary>
internal static class RulesLogCommand
{
    public static Command Create()
    {
        Command command = new("log", """
            Show the changes that were made: who, when, what went and what came.

            Examples:
              nftcluster rules log
              nftcluster rules log --netns line-r1
              nftcluster rules log -o json | jq 'select(.action == "apply")'
            """);
        Option<string> state = ChangeOptions.State();
        command.Options.Add(state);
        Option<string?> netns = TraceOptions.Text("--netns", "NAME", "Only changes that were made with this --netns. Default: all.");
        command.Options.Add(netns);
        Option<string> format = RulesListCommand.Format(command);
        command.SetAction((parsed, _) => Failures.GuardedAsync(parsed, () =>
        {
            TerminalWriter terminal = RulesListCommand.Terminal(parsed);
            bool any = false;
            foreach (ChangeLogEntry entry in ChangeStore.Open(parsed.GetValue(state)!).ReadLog().Where(entry => parsed.GetValue(netns) is not { } wanted || entry.Netns == wanted))
            {
                any = true;
                if (parsed.GetValue(format) == "json")
                {
                    parsed.InvocationConfiguration.Output.WriteLine(JsonSerializer.Serialize(entry, ChangeJson.Default.ChangeLogEntry));
                }
                else
                {
                    Print(terminal, entry);
                }
            }
            terminal.Flush();
            if (!any)
            {
                parsed.InvocationConfiguration.Error.WriteLine("nftcluster: no change was made yet");
            }
            return Task.FromResult(0);
        }));
        return command;
    }

    private static void Print(TerminalWriter terminal, ChangeLogEntry entry)
    {
        terminal.Write($"{entry.Time}  {entry.Action}  {entry.Id}", Ink.Strong).Write($"  {Who(entry.Who)}").Write($"  netns {entry.Netns}", Ink.Dim).EndLine();
        if (entry.Command.Length > 0)
        {
            terminal.Write($"  {entry.Command}").EndLine();
        }
        foreach ((string line, bool added) in entry.Before.Select(line => (line, false)).Concat(entry.After.Select(line => (line, true))))
        {
            terminal.Write($"  {(added ? '+' : '-')} {line}", added ? Ink.Good : Ink.Bad).EndLine();
        }
        if (entry.Note is not null)
        {
            terminal.Write($"  {entry.Note}", Ink.Warning).EndLine();
        }
    }

    private static string Who(Author who) =>
        $"uid {who.Uid}{(who.SudoUser is null ? "" : $" (sudo by {who.SudoUser})")}{(who.Tty is null ? "" : $" on {who.Tty}")}{(who.Ssh is null ? "" : $" from {who.Ssh.Split(' ')[0]}")}";
}
