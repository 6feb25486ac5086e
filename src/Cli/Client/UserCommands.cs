using System.CommandLine;
using System.Text.Json;

namespace NftCluster.Cli.Client;

/// <summary><c>nftcluster users</c>: who may log in, and what they may do. For admins.</summary>
internal static class UserCommands
{
    private static readonly string[] _roles = ["admin", "inspector", "operator", "viewer"];

    public static ApiColumn[] Columns { get; } =
    [
        new("USERNAME", "username"), new("ROLE", "role"), new("ACTIVE", "is_active"), new("LAST LOGIN", "last_login"),
        new("ID", "id", IsWide: true), new("EMAIL", "email", IsWide: true), new("CREATED", "created_at", IsWide: true), new("FIRST LOGIN", "first_login", IsWide: true),
    ];

    public static Command Create() => new("users", "Users and their roles (admins only).") { List(), Add(), Change(), Remove() };

    private static Command List() => ClientOptions.Ask("ls", "List the users.", _ => { }, (_, client, cancellation) => client.GetAsync("/api/users", cancellation), PrintAll);

    private static Command Add()
    {
        Argument<string> name = new("USERNAME") { Description = "Letters, digits, dot, dash and underscore." };
        Option<string> role = new("--role") { Description = "admin, operator or viewer.", DefaultValueFactory = _ => "viewer", HelpName = "ROLE" };
        role.AcceptOnlyFromAmong(_roles);
        Option<string?> email = new("--email") { Description = "Only kept.", HelpName = "ADDRESS" };
        Option<string?> file = SecretInput.FileOption("--password-file", "The first password, to be changed at the first login; - is standard input.");
        return ClientOptions.Ask("add", """
            Add a user, whose first password is to be changed at the first login.

            Examples:
              nftcluster users add ana --role operator
              nftcluster users add ci --role viewer --password-file /run/secrets/ci
            """, command =>
        {
            command.Arguments.Add(name);
            command.Options.Add(role);
            command.Options.Add(email);
            command.Options.Add(file);
        }, (parsed, client, cancellation) =>
        {
            Dictionary<string, string> body = new(StringComparer.Ordinal)
            {
                ["username"] = parsed.GetValue(name)!,
                ["role"] = parsed.GetValue(role)!,
                ["password"] = SecretInput.Read(parsed.GetValue(file), $"First password of {parsed.GetValue(name)}: ", parsed.InvocationConfiguration.Error),
            };
            if (parsed.GetValue(email) is { } address)
            {
                body["email"] = address;
            }
            return client.PostAsync("/api/users", body, cancellation);
        }, PrintOne);
    }

    private static Command Change()
    {
        Argument<string> name = User();
        Option<string?> role = new("--role") { Description = "admin, operator or viewer.", HelpName = "ROLE" };
        role.AcceptOnlyFromAmong(_roles);
        Option<bool?> active = new("--active") { Description = "false: may not log in, and open logins end.", HelpName = "true|false" };
        return ClientOptions.Ask("set", """
            Change a user's role, or whether the user may log in.

            Examples:
              nftcluster users set ana --role admin
              nftcluster users set ana --active false
            """, command =>
        {
            command.Arguments.Add(name);
            command.Options.Add(role);
            command.Options.Add(active);
        }, async (parsed, client, cancellation) =>
        {
            Dictionary<string, object> body = new(StringComparer.Ordinal);
            if (parsed.GetValue(role) is { } chosen)
            {
                body["role"] = chosen;
            }
            if (parsed.GetValue(active) is { } may)
            {
                body["is_active"] = may;
            }
            return await client.SendAsync(HttpMethod.Patch, $"/api/users/{await IdAsync(client, parsed.GetValue(name)!, cancellation)}", body, cancellation);
        }, PrintOne);
    }

    private static Command Remove()
    {
        Argument<string> name = User();
        return ClientOptions.Ask("rm", "Remove a user; open logins end, sessions stay.", command => command.Arguments.Add(name),
            async (parsed, client, cancellation) => await client.SendAsync(HttpMethod.Delete, $"/api/users/{await IdAsync(client, parsed.GetValue(name)!, cancellation)}", null, cancellation),
            (_, _, _) => { });
    }

    private static Argument<string> User() => new("USERNAME") { Description = "As `users ls` shows it." };

    private static async Task<string> IdAsync(ControllerClient client, string username, CancellationToken cancellation)
    {
        JsonElement users = await client.GetAsync("/api/users", cancellation);
        JsonElement found = ApiPages.RowsOf(users).FirstOrDefault(user => ApiTable.TextAt(user, "username") == username);
        return found.ValueKind == JsonValueKind.Object ? ApiTable.TextAt(found, "id") : throw new UsageException($"there is no user '{username}'");
    }

    private static void PrintAll(TextWriter output, string format, JsonElement answer) => ApiTable.Write(output, format, answer, ApiPages.RowsOf(answer), Columns);

    private static void PrintOne(TextWriter output, string format, JsonElement answer) => ApiTable.Write(output, format, answer, [answer], Columns);
}
