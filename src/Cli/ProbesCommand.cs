using System.CommandLine;
using System.Text.Json;
using NftCluster.Node.Kernel;
using NftCluster.Node.Kernel.Probes;
using NftCluster.Node.Sessions;

namespace NftCluster.Cli;

/// <summary><c>nftcluster probes</c>: every row of the catalog as it is on this kernel.</summary>
internal static class ProbesCommand
{
    public static Command Create()
    {
        Command command = new("probes", """
            List every probe: how it is attached, or why not; hits and misses.

            Examples:
              nftcluster probes
              nftcluster probes --backend kprobe
              nftcluster probes --seconds 5 --netns all     counts what happens meanwhile
            """);
        Option<string> backend = new("--backend") { Description = "How functions are watched: auto, fentry, kprobe-multi, kprobe, tracepoint or netfilter.", DefaultValueFactory = _ => Backends.Auto };
        backend.CompletionSources.Add([Backends.Auto, .. Backends.Names]);
        Option<string?> netns = TraceOptions.Text("--netns", "NAME", "Network namespace: a name, a path, a process id, or all. Default: this one.");
        Option<int> duration = new("--seconds") { Description = "Count hits for so long, 0 to 3600.", DefaultValueFactory = _ => 1 };
        Option<bool> json = new("--json") { Description = "JSON on standard output." };
        foreach (Option option in new Option[] { backend, netns, duration, json })
        {
            command.Options.Add(option);
        }
        command.SetAction((parsed, cancellation) => Failures.GuardedAsync(parsed, async () =>
        {
            int seconds = parsed.GetValue(duration);
            if (seconds is < 0 or > 3600)
            {
                throw new UsageException($"--seconds {seconds} is out of range: give 0 to 3600");
            }
            string? where = parsed.GetValue(netns);
            TracerOptions options = new() { Backend = TraceOptions.BackendOf(parsed.GetValue(backend)!), NetnsPath = SessionWants.PathOf(where) };
            (Row[] rows, IReadOnlyList<string> unseen) = await CollectAsync(options, where, TimeSpan.FromSeconds(seconds), cancellation);
            TextWriter output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(json))
            {
                await output.WriteLineAsync(JsonSerializer.Serialize(rows, ProbesJson.Default.RowArray));
            }
            else
            {
                Print(output, rows);
            }
            foreach (string way in unseen)
            {
                await (parsed.GetValue(json) ? parsed.InvocationConfiguration.Error : output).WriteLineAsync($"not visible on this path: {way}");
            }
            return 0;
        }));
        return command;
    }

    private static async Task<(Row[] Rows, IReadOnlyList<string> Unseen)> CollectAsync(TracerOptions options, string? netns, TimeSpan duration, CancellationToken cancellation)
    {
        await using var node = NodeHost.Start(options, TimeProvider.System);
        SessionSpec spec = new() { Id = "probes", Netns = netns };
        Actors.ActorRef<SessionMessage> session = await node.OpenAsync(spec, cancellation);
        await Task.Delay(duration, TimeProvider.System, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        HitCounts hits = await session.AskAsync<HitCounts>(reply => new GetHits(reply), TimeSpan.FromSeconds(5), CancellationToken.None);
        ProbeListing listing = await node.ProbesAsync(CancellationToken.None);
        Row[] rows = [.. listing.Probes.Select(p => new Row(
            p.Definition.QualifiedName,
            p.Definition.Layer,
            p.Definition.Direction,
            p.Definition.Step,
            p.Backend is { } backend ? Backends.NameOf(backend) : null,
            p.Backend is null ? p.WhyNot : null,
            p.Backend is null ? StandIn(p.Definition, listing.Probes) : null,
            hits.Hits[p.Index] + listing.Counted[p.Index],
            listing.Misses[p.Index]))];
        return (rows, listing.Unseen);
    }

    /// <summary>The nearest attached row that shows the same event.</summary>
    private static string? StandIn(ProbeDefinition probe, IReadOnlyList<ProbeState> all) =>
        probe.StandIns.FirstOrDefault(name => all.Any(p => p.Backend is not null && p.Definition.QualifiedName == name));

    private static void Print(TextWriter output, Row[] rows)
    {
        int width = rows.Max(r => r.Probe.Length);
        output.WriteLine($"{"PROBE".PadRight(width)}  {"LAYER",-10} {"STEP",-12} {"BACKEND",-12} {"HITS",10} {"MISSES",8}  NOTE");
        foreach (Row row in rows)
        {
            string note = row.WhyNot is null ? "" : row.StandIn is null ? row.WhyNot : $"{row.StandIn} stands in; {row.WhyNot}";
            output.WriteLine($"{row.Probe.PadRight(width)}  {row.Layer,-10} {row.Step,-12} {row.Backend ?? "-",-12} {row.Hits,10} {row.Misses,8}  {note}".TrimEnd());
        }
        output.WriteLine();
        output.WriteLine($"{rows.Count(r => r.Backend is not null)} of {rows.Length} probes attached: {string.Join(", ", rows.Where(r => r.Backend is not null).GroupBy(r => r.Backend!, StringComparer.Ordinal).Select(g => $"{g.Count()} {g.Key}"))}");
    }

    internal sealed record Row(string Probe, string Layer, string Direction, string Step, string? Backend, string? WhyNot, string? StandIn, long Hits, long Misses);
}

[System.Text.Json.Serialization.JsonSourceGenerationOptions(PropertyNamingPolicy = System.Text.Json.Serialization.JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[System.Text.Json.Serialization.JsonSerializable(typeof(ProbesCommand.Row[]))]
internal sealed partial class ProbesJson : System.Text.Json.Serialization.JsonSerializerContext;
