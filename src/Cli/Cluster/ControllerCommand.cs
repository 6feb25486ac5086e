using System.Collections;
using System.CommandLine;
using NftCluster.Controller.Hosting;

namespace NftCluster.Cli.Cluster;

/// <summary><c>nftcluster controller</c>: sessions over many nodes, in the foreground until it is told to stop.</summary>
internal static class ControllerCommand
{
    public const string DefaultFile = "/etc/nftcluster/controller.json";

    public static Command Create()
    {
        Command command = new("controller", """
            Run sessions on many nodes at once, and keep what they see.

            Examples:
              nftcluster controller
              nftcluster controller --state-dir ./state --web-port 8443 --node-port 8444
              nftcluster controller --config controller.json --check
            """);
        foreach (Command care in ControllerCareCommands.Create())
        {
            command.Subcommands.Add(care);
        }
        ControllerFlags flags = new ControllerFlags().AddTo(command);
        Option<bool> check = new("--check") { Description = "Say whether the settings can be used, and exit." };
        Option<string?> readyFile = new("--ready-file") { Description = "Write this file once nodes can connect, and remove it at the end.", HelpName = "PATH" };
        command.Options.Add(check);
        command.Options.Add(readyFile);
        command.SetAction((parsed, cancellation) => Failures.GuardedAsync(parsed, async () =>
        {
            ControllerOptions options = flags.Read(parsed);
            TextWriter error = parsed.InvocationConfiguration.Error;
            if (parsed.GetValue(check))
            {
                await parsed.InvocationConfiguration.Output.WriteLineAsync($"the settings can be used: state in {options.StateDirectory}, web port {options.WebPort}{(options.PlainHttp ? " (plain HTTP, loopback only)" : "")}, node port {options.NodePort}");
                return 0;
            }
            using ReadyFile? ready = parsed.GetValue(readyFile) is { } path ? ReadyFile.Claim(path) : null;
            using StopOrder stop = new(cancellation);
            using LineLog log = new(error);
            await using ControllerHost host = await ControllerHost.StartAsync(options, SessionCompiler.Check, TimeProvider.System, log, stop.Token);
            await error.WriteLineAsync($"nftcluster: the controller listens: {WebAddress(options, host)}, nodes on port {host.NodePort}; state in {options.StateDirectory}");
            await error.WriteLineAsync($"nftcluster: let a node join: nftcluster token create --state-dir {options.StateDirectory}");
            await WriteLoginAsync(error, options, host);
            ready?.Write();
            await stop.WhenToldAsync();
            await error.WriteLineAsync("nftcluster: stopping; sessions run on, nodes keep what they see");
            return 0;
        }));
        return command;
    }

    /// <summary>How to log in: the certificate that is shown, and once the first admin's password.</summary>
    public static async Task WriteLoginAsync(TextWriter error, ControllerOptions options, ControllerHost host)
    {
        if (host.FirstPassword is { } password)
        {
            await error.WriteLineAsync($"nftcluster: first login, shown only now: user admin, password {password}");
        }
        await error.WriteLineAsync($"nftcluster: log in: nftcluster login {WebAddress(options, host)[..^1]}{(host.WebFingerprint is { } print ? $" --fingerprint {print}" : "")}");
    }

    public static string WebAddress(ControllerOptions options, ControllerHost host) => $"{(options.PlainHttp ? "http" : "https")}://{(options.Address.Length > 0 ? options.Address : "localhost")}:{host.WebPort}/";

    internal static IEnumerable<KeyValuePair<string, string?>> Environment() =>
        System.Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(entry => new KeyValuePair<string, string?>((string)entry.Key, (string?)entry.Value));
}
