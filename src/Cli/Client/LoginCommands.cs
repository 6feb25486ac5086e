using System.CommandLine;
using System.Net.Http.Json;
using System.Text.Json;

namespace NftCluster.Cli.Client;

/// <summary><c>login</c>, <c>logout</c>, <c>whoami</c>, <c>password</c>: who asks.</summary>
internal static class LoginCommands
{
    public static Command Login()
    {
        Command command = new("login", """
            Log in to a controller; what it answers is kept in ~/.config/nftcluster/contexts.json (0600) and used by session,
            traces, users and node ls.

            Examples:
              nftcluster login https://10.0.0.1:7443 --fingerprint 5f0c…    the SHA-256 that the controller printed
              nftcluster login https://nft.example.org --username ana
              nftcluster login https://10.0.0.1:7443 --username ci --password-file /run/secrets/ci --context lab
            """);
        Argument<string> url = new("URL") { Description = "https://HOST[:7443]; http only for a controller on this host." };
        Option<string> username = new("--username", "-u") { Description = "Who logs in.", HelpName = "NAME", DefaultValueFactory = _ => "admin" };
        Option<string?> file = SecretInput.FileOption("--password-file", "The password is this file's first line; - is standard input.");
        Option<string?> fingerprint = new("--fingerprint") { Description = "SHA-256 of the controller's certificate, hex: no other is believed.", HelpName = "SHA256" };
        Option<string?> context = new("--context") { Description = "What to call this controller. Default: its host.", HelpName = "NAME" };
        command.Arguments.Add(url);
        foreach (Option option in new Option[] { username, file, fingerprint, context })
        {
            command.Options.Add(option);
        }
        command.SetAction((parsed, cancellation) => Failures.GuardedAsync(parsed, async () =>
        {
            Uri at = AddressOf(parsed.GetValue(url)!);
            var store = ContextStore.OfUser(Environment.GetEnvironmentVariable);
            string name = parsed.GetValue(context) ?? at.Host;
            string root = at.GetLeftPart(UriPartial.Authority);
            string? pin = parsed.GetValue(fingerprint) is { } text ? CertificatePin.Normalize(text) ?? throw new UsageException("--fingerprint: give the 64 hex digits of a SHA-256") : PinOf(store, name, root);
            TextWriter error = parsed.InvocationConfiguration.Error;
            using ControllerClient client = new(store, name, new ClientContext { Url = root, Fingerprint = pin });
            string user = parsed.GetValue(username)!;
            Dictionary<string, string> body = new(StringComparer.Ordinal) { ["username"] = user, ["password"] = SecretInput.Read(parsed.GetValue(file), $"Password of {user} at {at.Host}: ", error) };
            using HttpResponseMessage response = await client.AnonymousAsync("/api/auth/login", body, cancellation);
            if (!response.IsSuccessStatusCode)
            {
                throw await ApiProblem.ReadAsync(response, "", cancellation);
            }
            client.TakeTokens(await response.Content.ReadFromJsonAsync<JsonElement>(cancellation), user, makeCurrent: true);
            JsonElement me = await client.GetAsync("/api/auth/me", cancellation);
            await error.WriteLineAsync($"nftcluster: {user} ({ApiTable.TextAt(me, "role")}) at {root}, context {name}{(ApiTable.TextAt(me, "first_login") == "yes" ? "; choose a password of your own first: nftcluster password" : "")}");
            return 0;
        }));
        return command;
    }

    public static Command Logout()
    {
        Command command = new("logout", "Log out: the controller forgets this login, and so does this host.");
        Option<string?> context = new("--context") { Description = "Which controller. Default: the current one.", HelpName = "NAME" };
        command.Options.Add(context);
        command.SetAction((parsed, cancellation) => Failures.GuardedAsync(parsed, async () =>
        {
            var store = ContextStore.OfUser(Environment.GetEnvironmentVariable);
            (string name, ClientContext found) = store.Find(parsed.GetValue(context));
            store.Remove(name); // also where the controller is away
            using ControllerClient client = new(store, name, found);
            if (found.RefreshToken is { } refresh)
            {
                _ = await client.AnonymousAsync("/api/auth/logout", new Dictionary<string, string>(StringComparer.Ordinal) { ["refresh_token"] = refresh }, cancellation);
            }
            return 0;
        }));
        return command;
    }

    public static Command WhoAmI() => ClientOptions.Ask("whoami", "Who is logged in, and with which role.", _ => { }, (_, client, cancellation) => client.GetAsync("/api/auth/me", cancellation),
        (output, format, me) => ApiTable.Write(output, format, me, [me], UserCommands.Columns));

    public static Command Password()
    {
        Command command = new("password", """
            Choose another password; other logins of the same user end.

            Examples:
              nftcluster password
              nftcluster password --old-file old --new-file new
            """);
        Option<string?> old = SecretInput.FileOption("--old-file", "The password until now.");
        Option<string?> chosen = SecretInput.FileOption("--new-file", "The one from now on.");
        command.Options.Add(old);
        command.Options.Add(chosen);
        ClientOptions options = new ClientOptions().AddTo(command);
        command.SetAction((parsed, cancellation) => Failures.GuardedAsync(parsed, async () =>
        {
            TextWriter error = parsed.InvocationConfiguration.Error;
            using ControllerClient client = options.Open(parsed);
            Dictionary<string, string> body = new(StringComparer.Ordinal)
            {
                ["current_password"] = SecretInput.Read(parsed.GetValue(old), "Password until now: ", error),
                ["new_password"] = SecretInput.Read(parsed.GetValue(chosen), "New password: ", error),
            };
            client.TakeTokens(await client.PostAsync("/api/auth/password", body, cancellation), null, makeCurrent: false);
            await error.WriteLineAsync("nftcluster: the password is changed");
            return 0;
        }));
        return command;
    }

    /// <summary>A pin that an earlier login was given holds for the same controller.</summary>
    private static string? PinOf(ContextStore store, string name, string url) =>
        store.Read().Contexts.TryGetValue(name, out ClientContext? known) && known.Url == url ? known.Fingerprint : null;

    private static Uri AddressOf(string text)
    {
        const int WebPort = 7443;
        string whole = text.Contains("://", StringComparison.Ordinal) ? text : $"https://{text}";
        if (!Uri.TryCreate(whole, UriKind.Absolute, out Uri? url) || url.Scheme is not ("https" or "http") || url.PathAndQuery != "/")
        {
            throw new UsageException($"'{text}' is no controller's address: give https://HOST or https://HOST:PORT");
        }
        if (url.Scheme == "http" && !url.IsLoopback)
        {
            throw new UsageException("a password over plain http only goes to this host: give https://…");
        }
        return url.IsDefaultPort && !text.EndsWith($":{url.Port}", StringComparison.Ordinal) ? new UriBuilder(url) { Port = WebPort }.Uri : url;
    }
}
