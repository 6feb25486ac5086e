using System.CommandLine;

namespace NftCluster.Cli.Client;

/// <summary><c>nftcluster session start</c>.</summary>
internal static class SessionStartCommand
{
    private static readonly Argument<string[]> _filter = new("filter") { Description = "pcap-filter(7) expression, as for tcpdump. None: every packet.", Arity = ArgumentArity.ZeroOrMore };
    private static readonly Option<string?> _name = Text("--name", "NAME", "What to call it.");
    private static readonly Option<string> _mode = new("--mode") { Description = "full (functions, tracepoints and nft verdicts) or nft (verdicts and hooks only).", DefaultValueFactory = _ => "full" };
    private static readonly Option<string[]> _nodes = new("--node") { Description = "Only on this node (name or id); may be given again. Default: all.", HelpName = "NODE" };
    private static readonly Option<string[]> _labels = new("--label") { Description = "Only on nodes with this label, also those that join later.", HelpName = "KEY=VALUE" };
    private static readonly Option<string?> _device = Text("--dev", "DEVICE", "Only packets that pass this device.");
    private static readonly Option<string?> _mark = Text("--mark", "VALUE[/MASK]", "Only packets with this mark when they come to a door.");
    private static readonly Option<string?> _probes = Text("--probes", "PROBES", "all, light, nft, five, or names separated by commas.");
    private static readonly Option<bool> _all = new("--all") { Description = "Keep lone events, too, not only valuable traces." };
    private static readonly Option<string?> _duration = Text("--duration", "TIME", "Stop after this long: 10s, 5m, 1h.");
    private static readonly Option<long> _packets = Number("--max-packets", "Stop after so many packets of all nodes together.");
    private static readonly Option<long> _perNode = Number("--max-packets-per-node", "So many of each node.");
    private static readonly Option<long> _events = Number("--events-per-second", "Above it a node keeps a consistent sample: the same packets on all nodes.");
    private static readonly Option<double> _cpu = new("--cpu-percent") { Description = "The same above so much of one core.", HelpName = "N" };

    private static readonly Option<long> _memory = Number("--memory-mb", "So much memory for it on each node, in MiB.");
    private static readonly Option<long> _disk = Number("--disk-mb", "Stop when it takes so much of the controller's disk, in MiB.");

    private static readonly Option<int> _snap = new("--snap-bytes") { Description = "Keep so many of the payload's first bytes, at most 32; needs the role inspector. Default: none.", HelpName = "N" };

    public static Command Create() => ClientOptions.Ask("start", """
        Start a session. It goes on when you log out, when a node or the controller dies, and until it is stopped or a limit ends it.

        Examples:
          nftcluster session start --name web host 10.3.0.2 and tcp port 443
          nftcluster session start --mode nft --label site=berlin --duration 10m
          nftcluster session start --node r1 --node r2 --max-packets 1000 icmp
        """, command =>
    {
        command.Arguments.Add(_filter);
        foreach (Option option in new Option[] { _name, _mode, _nodes, _labels, _device, _mark, _probes, _all, _duration, _packets, _perNode, _events, _cpu, _memory, _disk, _snap })
        {
            command.Options.Add(option);
        }
    }, (parsed, client, cancellation) => client.PostAsync("/api/sessions", Body(parsed), cancellation), SessionCommands.PrintOne);

    private static Dictionary<string, object> Body(ParseResult parsed)
    {
        Dictionary<string, object> limits = new(StringComparer.Ordinal);
        Put(limits, "duration", parsed.GetValue(_duration) is null ? null : TraceOptions.Time(parsed, _duration, TimeSpan.Zero));
        Put(limits, "packets", parsed.GetValue(_packets) is var packets and > 0 ? packets : null);
        Put(limits, "packets_per_node", parsed.GetValue(_perNode) is var each and > 0 ? each : null);
        Put(limits, "events_per_second", parsed.GetValue(_events) is var events and > 0 ? events : null);
        Put(limits, "cpu_percent", parsed.GetValue(_cpu) is var cpu and > 0 ? cpu : null);
        Put(limits, "memory_bytes", parsed.GetValue(_memory) is var memory and > 0 ? memory << 20 : null);
        Put(limits, "disk_bytes", parsed.GetValue(_disk) is var disk and > 0 ? disk << 20 : null);
        Dictionary<string, object> body = new(StringComparer.Ordinal)
        {
            ["filter"] = string.Join(' ', parsed.GetValue(_filter) ?? []),
            ["mode"] = parsed.GetValue(_mode)!,
            ["quality"] = parsed.GetValue(_all) ? "all" : "valuable",
            ["nodes"] = new Dictionary<string, object>(StringComparer.Ordinal) { ["names"] = parsed.GetValue(_nodes) ?? [], ["labels"] = Labels(parsed.GetValue(_labels) ?? []) },
            ["limits"] = limits,
        };
        Put(body, "snap_bytes", parsed.GetValue(_snap) is var snap and not 0 ? snap : null);
        Put(body, "name", parsed.GetValue(_name));
        Put(body, "device", parsed.GetValue(_device));
        Put(body, "mark", parsed.GetValue(_mark));
        Put(body, "probes", parsed.GetValue(_probes)?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        return body;
    }

    private static Dictionary<string, string> Labels(string[] given)
    {
        Dictionary<string, string> labels = new(StringComparer.Ordinal);
        foreach (string label in given)
        {
            string[] parts = label.Split('=', 2);
            labels[parts[0]] = parts.Length == 2 && parts[0].Length > 0 ? parts[1] : throw new UsageException($"--label: '{label}' is no label: give KEY=VALUE");
        }
        return labels;
    }

    private static void Put(Dictionary<string, object> body, string name, object? value)
    {
        if (value is not null)
        {
            body[name] = value;
        }
    }

    private static Option<string?> Text(string name, string value, string description) => new(name) { Description = description, HelpName = value };

    private static Option<long> Number(string name, string description) => new(name) { Description = description, HelpName = "N" };
}
