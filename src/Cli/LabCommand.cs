using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using NftCluster.Lab;

namespace NftCluster.Cli;

/// <summary><c>nftcluster lab up|down|traffic|list</c>: networks of namespaces on this machine.</summary>
internal static class LabCommand
{
    private const string DefaultTopology = "line";

    private static readonly JsonSerializerOptions _json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
    };

    public static Command Create() => new("lab", "Networks of namespaces on this machine: build, send traffic, take down.")
    {
        Up(),
        Down(),
        LabTrafficCommand.Create(),
        List(),
    };

    internal static Argument<string> TopologyArgument()
    {
        var argument = new Argument<string>("topology")
        {
            Description = "A topology file, or the name of one that is shipped.",
            HelpName = "topology",
            DefaultValueFactory = _ => DefaultTopology,
        };
        argument.CompletionSources.Add(_ => TopologyFile.Shipped().Select(name => new System.CommandLine.Completions.CompletionItem(name)));
        return argument;
    }

    internal static Option<string?> PrefixOption() => new("--prefix")
    {
        Description = "The lab's name and the first part of its namespaces' names (default: the topology's name).",
        HelpName = "NAME",
    };

    internal static Option<bool> JsonOption() => new("--json") { Description = "Print JSON on standard output." };

    internal static void PrintJson<T>(TextWriter output, T value) => output.WriteLine(JsonSerializer.Serialize(value, _json));

    /// <summary>What the user can put right becomes one line on standard error and exit code 1.</summary>
    internal static int Guarded(ParseResult parsed, Action action)
    {
        try
        {
            action();
            return 0;
        }
        catch (LabException exception)
        {
            parsed.InvocationConfiguration.Error.WriteLine($"nftcluster lab: {exception.Message}");
            return 1;
        }
    }

    private static Command Up()
    {
        Argument<string> topology = TopologyArgument();
        Option<string?> prefix = PrefixOption();
        Option<bool> json = JsonOption();
        var command = new Command("up", "Build a lab, after removing what an earlier one of this name left.") { topology, prefix, json };
        command.SetAction(parsed => Guarded(parsed, () =>
        {
            TextWriter output = parsed.InvocationConfiguration.Output;
            var lab = LabNetwork.Up(TopologyFile.Load(parsed.GetRequiredValue(topology)), parsed.GetValue(prefix));
            if (parsed.GetValue(json))
            {
                PrintJson(output, lab.Namespaces.ToDictionary(pair => pair.Host, pair => pair.Namespace, StringComparer.Ordinal));
                return;
            }

            output.WriteLine($"The lab '{lab.Prefix}' is up.");
            foreach ((string host, string name) in lab.Namespaces)
            {
                string devices = string.Join("  ", lab.Topology.EndsOf(host).Select(end => $"{end.Device} {string.Join(' ', end.Addresses)}"));
                output.WriteLine($"  {host,-10} namespace {name,-16} {devices}");
            }

            string router = lab.NamespaceOf((lab.Topology.Hosts.FirstOrDefault(host => host.Forwarding) ?? lab.Topology.Hosts[0]).Name);
            output.WriteLine($"Next: nftcluster trace --netns {router}   and   nftcluster lab traffic {lab.Prefix}");
        }));
        return command;
    }

    private static Command Down()
    {
        Argument<string> topology = TopologyArgument();
        Option<string?> prefix = PrefixOption();
        Option<bool> all = new("--all") { Description = "Take down every lab on this machine." };
        var command = new Command("down", "Take a lab down, whole or half built. Not being up is fine.") { topology, prefix, all };
        command.SetAction(parsed => Guarded(parsed, () =>
        {
            IReadOnlyList<string> prefixes = parsed.GetValue(all)
                ? LabNetwork.Prefixes()
                : [PrefixOf(parsed.GetRequiredValue(topology), parsed.GetValue(prefix))];
            foreach (string name in prefixes)
            {
                IReadOnlyList<string> removed = LabNetwork.Down(name);
                parsed.InvocationConfiguration.Output.WriteLine(removed.Count > 0
                    ? $"The lab '{name}' is down; removed {string.Join(", ", removed)}."
                    : $"The lab '{name}' was not up.");
            }
        }));
        return command;
    }

    private static Command List()
    {
        Option<bool> json = JsonOption();
        var command = new Command("list", "The labs that are up, and the topologies that are shipped.") { json };
        command.SetAction(parsed => Guarded(parsed, () =>
        {
            TextWriter output = parsed.InvocationConfiguration.Output;
            IReadOnlyList<string> up = LabNetwork.Prefixes();
            if (parsed.GetValue(json))
            {
                PrintJson(output, new { Up = up, Topologies = TopologyFile.Shipped() });
                return;
            }

            output.WriteLine($"up:         {(up.Count > 0 ? string.Join(", ", up) : "none")}");
            output.WriteLine($"topologies: {string.Join(", ", TopologyFile.Shipped())}");
        }));
        return command;
    }

    /// <summary>The lab that a topology argument means: by its prefix when one of that name is up, else by the file's own name.</summary>
    internal static string PrefixOf(string fileOrName, string? prefix) =>
        prefix ?? (LabNetwork.Prefixes().Contains(fileOrName, StringComparer.Ordinal) ? fileOrName : TopologyFile.Load(fileOrName).Name);
}
