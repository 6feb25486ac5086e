using System.CommandLine;
using NftCluster.Controller.Auth;
using NftCluster.Controller.Hosting;
using NftCluster.Controller.Storage;

namespace NftCluster.Cli.Cluster;

/// <summary><c>nftcluster controller backup|restore|reset-admin</c>: run where the controller runs.</summary>
internal static class ControllerCareCommands
{
    public static IEnumerable<Command> Create() => [BackUp(), Restore(), ResetAdmin()];

    private static Command BackUp()
    {
        Argument<string> file = new("FILE") { Description = "A new file." };
        return Command("backup", """
            Copy the whole database into one file, while the controller runs. Keys and certificates (*.pem) lie beside the database: keep them, too.

            Example:
              nftcluster controller backup /backup/nftcluster-monday.db
            """, file, (state, parsed, error) =>
        {
            Backup.Make(Existing(state), parsed.GetValue(file)!);
            error.WriteLine($"nftcluster: {parsed.GetValue(file)}, {new FileInfo(parsed.GetValue(file)!).Length} bytes");
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
            """, file, (state, parsed, error) =>
        {
            StateDirectory.Prepare(state);
            using FileStream mine = StateDirectory.Claim(state);
            string? kept = Backup.Restore(state, parsed.GetValue(file)!);
            error.WriteLine($"nftcluster: restored{(kept is null ? "" : $"; what was there is {kept}")}");
        });
    }

    private static Command ResetAdmin()
    {
        Argument<string> name = new("USERNAME") { Description = "Which admin; made where there is none of that name.", DefaultValueFactory = _ => FirstAdmin.Name };
        return Command("reset-admin", """
            Give an admin a new password, which is printed once and to be changed at the next login. Every login of that user ends. The controller may run.

            Example:
              nftcluster controller reset-admin
            """, name, (state, parsed, error) =>
        {
            string user = parsed.GetValue(name)!;
            string password = FirstAdmin.Reset(new Accounts(Existing(state), TimeProvider.System), user);
            error.WriteLine($"nftcluster: shown only now: user {user}, password {password}");
        });
    }

    /// <summary>A mistyped directory must not become a new, empty controller.</summary>
    private static Database Existing(string state) => File.Exists(Path.Combine(state, Database.FileName))
        ? Database.Open(state)
        : throw new UsageException($"there is no controller's database in {state}: give --state-dir");

    private static Command Command(string name, string description, Argument argument, Action<string, ParseResult, TextWriter> act)
    {
        Command command = new(name, description);
        Option<string> state = new("--state-dir") { Description = "The controller's. Default: /var/lib/nftcluster/controller.", DefaultValueFactory = _ => new ControllerOptions().StateDirectory, HelpName = "DIR" };
        command.Arguments.Add(argument);
        command.Options.Add(state);
        command.SetAction((parsed, _) => Failures.GuardedAsync(parsed, () =>
        {
            act(parsed.GetValue(state)!, parsed, parsed.InvocationConfiguration.Error);
            return Task.FromResult(0);
        }));
        return command;
    }
}
