using System.CommandLine;
using NftCluster.Controller.Auth;
using NftCluster.Controller.Cluster;
using NftCluster.Controller.Hosting;
using NftCluster.Controller.Storage;

namespace NftCluster.Cli.Cluster;

/// <summary><c>nftcluster controller backup|restore|reset-admin</c>: run where the controller runs.</summary>
internal static class ControllerCareCommands
{
    public static IEnumerable<Command> Create() => [BackUp(), Restore(), ResetAdmin(), ReplaceAuthority()];

    private static Command BackUp()
    {
        Argument<string> file = new("FILE") { Description = "A new file." };
        return Command("backup", """
            Copy the whole database into one file, while the controller runs. Keys and certificates (*.pem) lie beside the database: keep them, too.

            Example:
              nftcluster controller backup /backup/nftcluster-monday.db
            """, file, async (state, parsed, error) =>
        {
            Backup.Make(Existing(state), parsed.GetValue(file)!);
            await error.WriteLineAsync($"nftcluster: {parsed.GetValue(file)}, {new FileInfo(parsed.GetValue(file)!).Length} bytes");
        });
    }

    private static Command Restore()
    {
        Argument<string> file = new("FILE") { Description = "What backup made." };
        return Command("restore", """
            Bring a backup back; the controller must not run. What was there is kept beside it. Nodes that followed the newer database keep what they
            run and say so: start them with --adopt to end it.

            Example:
              nftcluster controller restore /backup/nftcluster-monday.db
            """, file, async (state, parsed, error) =>
        {
            StateDirectory.Prepare(state);
            using FileStream mine = StateDirectory.Claim(state);
            string? kept = Backup.Restore(state, parsed.GetValue(file)!);
            await error.WriteLineAsync($"nftcluster: restored{(kept is null ? "" : $"; what was there is {kept}")}");
        });
    }

    private static Command ResetAdmin()
    {
        Argument<string> name = new("USERNAME") { Description = "Which admin; made where there is none of that name.", DefaultValueFactory = _ => FirstAdmin.Name };
        return Command("reset-admin", """
            Give an admin a new password, which is printed once and to be changed at the next login. Every login of that user ends. The controller may run.

            Example:
              nftcluster controller reset-admin
            """, name, async (state, parsed, error) =>
        {
            string user = parsed.GetValue(name)!;
            string password = FirstAdmin.Reset(new Accounts(Existing(state), TimeProvider.System), user);
            await error.WriteLineAsync($"nftcluster: shown only now: user {user}, password {password}");
        });
    }

    private static Command ReplaceAuthority()
    {
        Option<bool> finish = new("--finish") { Description = "Trust the old CA no more. Refused while a node has a certificate of it, unless --force." };
        Option<bool> force = new("--force") { Description = "With --finish: nodes that have not renewed must join again." };
        Command command = Command("replace-ca", """
            Replace the CA that signs the nodes' certificates, under running sessions: run it, restart the controller, wait until every node has connected (it renews its
            certificate at once), run it with --finish, restart the controller again. Sessions go on through both restarts.

            Examples:
              nftcluster controller replace-ca
              nftcluster controller replace-ca --finish
            """, null, async (state, parsed, error) =>
        {
            Database database = Existing(state);
            CertificateStore store = new(state, TimeProvider.System);
            if (!parsed.GetValue(finish))
            {
                store.ReplaceAuthority();
                await error.WriteLineAsync("nftcluster: a new CA signs from the controller's next start on; the old one is trusted until replace-ca --finish");
                return;
            }
            DateTimeOffset? replaced = store.ReplacedAt();
            KnownNode[] behind = replaced is { } since ? [.. (await NodeRegistry.ReadAsync(new Journal(database))).CertifiedBefore(since)] : [];
            if (behind.Length > 0 && !parsed.GetValue(force))
            {
                throw new UsageException($"{behind.Length} node(s) have a certificate of the old CA still ({string.Join(", ", behind.Take(5).Select(node => node.Name))}{(behind.Length > 5 ? " …" : "")}): let them connect first, revoke them, or give --force (they must join again)");
            }
            store.FinishReplacement();
            await error.WriteLineAsync("nftcluster: the old CA is trusted no more from the controller's next start on");
        });
        command.Options.Add(finish);
        command.Options.Add(force);
        return command;
    }

    /// <summary>A mistyped directory must not become a new, empty controller.</summary>
    private static Database Existing(string state) => File.Exists(Path.Combine(state, Database.FileName))
        ? Database.Open(state)
        : throw new UsageException($"there is no controller's database in {state}: give --state-dir");

    private static Command Command(string name, string description, Argument? argument, Func<string, ParseResult, TextWriter, Task> act)
    {
        Command command = new(name, description);
        Option<string> state = new("--state-dir") { Description = "The controller's. Default: /var/lib/nftcluster/controller.", DefaultValueFactory = _ => new ControllerOptions().StateDirectory, HelpName = "DIR" };
        if (argument is not null)
        {
            command.Arguments.Add(argument);
        }
        command.Options.Add(state);
        command.SetAction((parsed, _) => Failures.GuardedAsync(parsed, async () =>
        {
            await act(parsed.GetValue(state)!, parsed, parsed.InvocationConfiguration.Error);
            return 0;
        }));
        return command;
    }
}
