using System.CommandLine;
using NftCluster.Controller.Hosting;

namespace NftCluster.Cli.Cluster;

/// <summary>The settings of a controller as flags: they count more than environment and file.</summary>
internal sealed class ControllerFlags
{
    private readonly Option<string?> _config = new("--config") { Description = $"Settings, JSON with comments. Default: {ControllerCommand.DefaultFile} where there is one.", HelpName = "FILE" };

    private readonly (string Name, Option<string?> Option)[] _flags =
    [
        Flag("state_dir", "DIR", "Database, keys and certificates. Default: /var/lib/nftcluster/controller."),
        Flag("address", "IP", "Listen only there. Default: every address."),
        Flag("web_port", "N", "For browsers, API and command line. Default: 7443."),
        Flag("node_port", "N", "For nodes. Default: 7444."),
        Flag("otlp_endpoint", "URL", "Send journeys as spans to this OpenTelemetry collector (OTLP over HTTP, as http://collector:4318). Default: nowhere."),
    ];

    private readonly Option<bool> _plain = new("--plain-http") { Description = "HTTP instead of HTTPS on the web port, on loopback only." };

    public ControllerFlags AddTo(Command command)
    {
        command.Options.Add(_config);
        foreach ((_, Option<string?> option) in _flags)
        {
            command.Options.Add(option);
        }
        command.Options.Add(_plain);
        return this;
    }

    public ControllerOptions Read(ParseResult parsed)
    {
        string? file = parsed.GetValue(_config) ?? (File.Exists(ControllerCommand.DefaultFile) ? ControllerCommand.DefaultFile : null);
        List<(string, string)> given = [.. _flags.Select(flag => (flag.Name, parsed.GetValue(flag.Option))).Where(flag => flag.Item2 is not null).Select(flag => (flag.Name, flag.Item2!))];
        if (parsed.GetValue(_plain))
        {
            given.Add(("plain_http", "true"));
        }
        return ControllerSettings.Read(file, ControllerCommand.Environment(), given);
    }

    private static (string, Option<string?>) Flag(string name, string value, string text) => (name, new Option<string?>($"--{name.Replace('_', '-')}") { Description = text, HelpName = value });
}
