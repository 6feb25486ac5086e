using System.CommandLine;
using System.Globalization;
using NftCluster.Messages.Link;
using NftCluster.Node.Agent;
using NftCluster.Node.Sessions;
using NftCluster.Node.Spool;
using NftCluster.Node.Uplink;

namespace NftCluster.Cli.Nodes;

/// <summary>The flags of <c>node</c>; with file and environment they become a checked configuration.</summary>
internal sealed class NodeOptions
{
    private readonly Option<string?> _config = TraceOptions.Text("--config", "FILE", $"JSON with comments, see config/node.json. Default: {NodeSettings.DefaultFile}, if it is there.");
    private readonly Option<string?> _controller = TraceOptions.Text("--controller", "URL", "The controller's node port: https://HOST[:7444].");
    private readonly Option<string?> _token = TraceOptions.Text("--token", "TOKEN", "To join, once (nftcluster token create prints one). Who lists processes sees it: NFTCLUSTER_TOKEN and NFTCLUSTER_TOKEN_FILE hide it.");
    private readonly Option<string?> _name = TraceOptions.Text("--name", "NAME", "How people call this node. Default: the host's name.");
    private readonly Option<string[]> _labels = new("--label") { Description = "Sessions select nodes by labels; may be given several times.", HelpName = "NAME=VALUE" };
    private readonly Option<string?> _netns = TraceOptions.Text("--netns", "NAME", "The network namespace that this node is the router of: a name, a path or a process id. Default: its own.");
    private readonly Option<string?> _stateDirectory = TraceOptions.Text("--state-dir", "DIR", "Identity and spool. Default: /var/lib/nftcluster/node.");
    private readonly Option<bool> _allowChanges = AllowChangesFlag();
    private readonly Option<bool> _adopt = new("--adopt") { Description = "Follow a controller with another database although sessions of the old one still run here." };
    private readonly Option<string?> _readyFile = TraceOptions.Text("--ready-file", "PATH", "Write this file once the node runs, and remove it at the end.");

    public Option<bool> Check { get; } = new("--check") { Description = "Look whether the configuration is right, say what it means, and exit." };

    public static Option<bool> AllowChangesFlag() => new("--allow-changes") { Description = "Let the controller's admins change this host's ruleset (POST /api/nodes/ID/rules). Default: they cannot." };

    public NodeOptions AddTo(Command command)
    {
        foreach (Option option in new Option[] { _controller, _token, _name, _labels, _netns, _stateDirectory, _config, _allowChanges, _adopt, _readyFile, Check })
        {
            command.Options.Add(option);
        }
        return this;
    }

    public string? ReadyFile(ParseResult parsed) => parsed.GetValue(_readyFile);

    /// <summary>Throws <see cref="UsageException"/> with one line that says which value is wrong and what would be right.</summary>
    public AgentOptions Bind(ParseResult parsed, Func<string, string?> variable)
    {
        NodeSettings file = parsed.GetValue(_config) is { } named ? NodeSettings.FromFile(named)
            : File.Exists(NodeSettings.DefaultFile) ? NodeSettings.FromFile(NodeSettings.DefaultFile)
            : new NodeSettings();
        return Checked(file.OverriddenBy(NodeSettings.FromEnvironment(variable)).OverriddenBy(Flags(parsed))) with { Adopts = parsed.GetValue(_adopt) };
    }

    private NodeSettings Flags(ParseResult parsed) => new()
    {
        Controller = parsed.GetValue(_controller),
        Token = parsed.GetValue(_token),
        Name = parsed.GetValue(_name),
        Labels = parsed.GetValue(_labels) is { Length: > 0 } labels ? NodeSettings.LabelsOf(labels, "--label") : null,
        Netns = parsed.GetValue(_netns),
        StateDir = parsed.GetValue(_stateDirectory),
        AllowChanges = parsed.GetValue(_allowChanges) ? true : null,
    };

    private static AgentOptions Checked(NodeSettings settings)
    {
        string controller = settings.Controller ?? throw new UsageException("no controller is named: give --controller https://HOST (or NFTCLUSTER_CONTROLLER, or the configuration file)");
        if (!ControllerAddress.TryParse(controller, out ControllerAddress? address))
        {
            throw new UsageException($"controller '{controller}' is no address of a controller: give https://HOST or https://HOST:PORT");
        }
        if (settings.Netns == SessionWants.AllNamespaces)
        {
            throw new UsageException("a node is one router: give --netns one namespace, and run one node for each");
        }
        _ = SessionWants.PathOf(settings.Netns);
        string directory = Path.GetFullPath(settings.StateDir ?? "/var/lib/nftcluster/node");
        long ring = InRange(settings.RingMb, "ring_mb", 1, 1_024, 16);
        return new AgentOptions
        {
            Controller = address!,
            Token = Token(settings),
            Name = Name(settings.Name ?? Environment.MachineName),
            Labels = settings.Labels ?? new Dictionary<string, string>(StringComparer.Ordinal),
            Netns = settings.Netns,
            StateDirectory = directory,
            AllowsChanges = settings.AllowChanges ?? false,
            Spool = new SpoolOptions
            {
                Directory = Path.Combine(directory, "spool"),
                MostBytes = InRange(settings.SpoolMb, "spool_mb", 16, 1 << 20, 1_024) << 20,
                MostAge = TimeSpan.FromHours(InRange(settings.SpoolHours, "spool_hours", 1, 24 * 365, 168)),
            },
            Backend = TraceOptions.BackendOf(settings.Backend ?? Node.Kernel.Backends.Auto),
            RingBytes = long.IsPow2(ring) ? (uint)ring << 20 : throw new UsageException($"ring_mb {ring} is no power of two: give 1, 2, 4 … 1024"),
        };
    }

    private static JoinToken? Token(NodeSettings settings)
    {
        string? text = settings.Token ?? (settings.TokenFile is { } file ? File.ReadAllText(file).Trim() : null);
        return text is null ? null
            : JoinToken.TryParse(text, out JoinToken? token) ? token
            : throw new UsageException("the token is none: it looks like NFT1.<64 hex digits>.<secret> (make one with: nftcluster token create)");
    }

    private static string Name(string name) => name.Length is > 0 and <= 64 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_')
        ? name
        : throw new UsageException($"name '{name}' is no node's name: give letters, digits, -, _ and ., at most 64");

    private static long InRange(long? value, string name, long least, long most, long absent) => value is not { } number ? absent
        : number >= least && number <= most ? number
        : throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"{name} {number} is out of range: give a whole number from {least} to {most}"));
}
