using System.Globalization;
using NftCluster.Lab;
using NftCluster.Messages;
using NftCluster.Node.Sessions;
using NftCluster.Tests.Faults;

namespace NftCluster.Tests.Truth;

/// <summary>A ruleset in one host of a lab during some traffic: the traces of that host, and what nft's monitor told meanwhile.</summary>
internal sealed class NftTruthRun
{
    private const string Unjoinable = "nft-unjoined";

    private readonly IReadOnlyList<(NftPacket Packet, IReadOnlyList<NftStep> Steps)> _monitored;

    private NftTruthRun(NftListing listing, IReadOnlyList<(NftPacket Packet, IReadOnlyList<NftStep> Steps)> monitored, IReadOnlyList<TraceRecord> traces, long unjoined)
    {
        Listing = listing;
        AllTraces = traces;
        Unjoined = unjoined;
        Traces = [.. traces.Where(trace => NftPacket.Of(trace) is { DestinationPort: not NftFlowTraffic.LastPort })];
        _monitored = monitored;
    }

    public NftListing Listing { get; }

    /// <summary>Without chatter and what ended the run.</summary>
    public IReadOnlyList<TraceRecord> Traces { get; }

    public IReadOnlyList<TraceRecord> AllTraces { get; }

    /// <summary>The verdicts came from a probed function.</summary>
    public bool IsProbed { get; private init; }

    /// <summary>Verdicts whose packet could not be told.</summary>
    public long Unjoined { get; }

    /// <summary>The traffic ends with one packet that the monitor tells by <paramref name="lastWord"/>; <paramref name="tables"/> of ours must stand beside that of inet.</summary>
    public static async Task<NftTruthRun> WatchAsync(LabNetwork lab, string host, string ruleset, string lastWord, Action traffic, int tables = 0)
    {
        string netns = lab.NamespaceOf(host);
        // Else all but a few ICMP errors are not sent, and nothing can be counted.
        _ = Run(netns, "sysctl", ["-q", "-w", "net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0"]);
        _ = Run(netns, "nft", ["-f", "-"], ruleset);
        var listing = new NftListing(Run(netns, "nft", ["-s", "-a", "list", "ruleset"]));
        await using TracedSession session = await TracedSession.StartWithVerdictsAsync(netns);
        // A probed function marks no packets, and unmarked ones nft's monitor cannot tell: then the test marks them, in the product's way.
        using NftMarks? marks = session.ProbesVerdicts ? NftMarks.Make(netns) : null;
        int expected = tables + (session.ProbesVerdicts ? 2 : 1);
        await Eventually.HoldsAsync(
            () => Run(netns, "nft", ["list", "tables"]).Split('\n').Count(line => line.Contains("nftcluster", StringComparison.Ordinal)) == expected,
            () => Run(netns, "nft", ["list", "ruleset"]));
        NftMonitorBook book;
        using (NftMonitor monitor = await NftMonitor.StartAsync(netns))
        {
            traffic();
            book = await monitor.ReadUntilAsync(lastWord);
        }
        SessionEnded ended = await session.StopAsync();
        Assert.Null(ended.Session.FailureReason);
        // probe-missed: see TruthRun.
        IEnumerable<LossRecord> losses = ended.Statistics.Losses.Where(loss => loss.Count != 0 && loss.Stage is not ("probe-missed" or Unjoinable));
        Assert.True(!losses.Any(), string.Join(", ", losses.Select(loss => string.Create(CultureInfo.InvariantCulture, $"{loss.Stage}: {loss.Count} {loss.Kind}"))));
        return new NftTruthRun(listing, [.. book.Packets], session.Traces, ended.Statistics.Losses.Single(loss => loss.Stage == Unjoinable).Count) { IsProbed = session.ProbesVerdicts };
    }

    public static IReadOnlyList<NftStep> StepsOf(TraceRecord trace) => [.. trace.NftEvents.Select(NftStep.Of)];

    /// <summary>Packet for packet: as many traces as the monitor told packets, each with the same steps.</summary>
    public void AssertMonitorAgrees()
    {
        Dictionary<string, int> difference = new(StringComparer.Ordinal);
        void Add(NftPacket packet, IEnumerable<NftStep> steps, int count)
        {
            string entry = $"{packet}: {NftStep.AsMonitored(steps)}";
            difference[entry] = difference.GetValueOrDefault(entry) + count;
        }

        foreach (TraceRecord trace in Traces)
        {
            Add(NftPacket.Of(trace)!, StepsOf(trace), 1);
        }
        foreach ((NftPacket packet, IReadOnlyList<NftStep> steps) in _monitored)
        {
            Add(packet, steps, -1);
        }
        string[] wrong = [.. difference.Where(entry => entry.Value != 0).OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => $"{(entry.Value > 0 ? "traced only" : "monitored only")} ({Math.Abs(entry.Value)}): {entry.Key}")];
        Assert.True(wrong.Length == 0, $"{wrong.Length} differences, {Traces.Count} traces:\n{string.Join('\n', wrong.Take(30))}");
        TestContext.Current.TestOutputHelper?.WriteLine($"{Traces.Count} packets, {Traces.Sum(trace => trace.NftEvents.Count)} steps");
    }

    public void AssertJoined() =>
        Assert.True(Unjoined == 0, $"{Unjoined} unjoined:\n{string.Join('\n', AllTraces.Where(trace => trace.SkbAddr is null).Select(trace => $"{trace.FirstSeen} {NftStep.Words(StepsOf(trace))}"))}");

    /// <summary>Every rule has its text, and it is the listing's.</summary>
    public void AssertTexts()
    {
        foreach (NftEventRecord step in Traces.SelectMany(trace => trace.NftEvents))
        {
            Assert.Equal((Listing.TextOf(NftStep.Of(step)), null), (step.RuleText, step.TextUnknown));
        }
    }

    private static string Run(string netns, string program, string[] arguments, string input = "")
    {
        ToolResult result = Tool.Run("ip", ["netns", "exec", netns, program, .. arguments], input);
        Assert.SkipWhen(result.Errors.Contains("No such file or directory", StringComparison.Ordinal) && result.Errors.Contains("exec of", StringComparison.Ordinal), $"needs {program}");
        Assert.True(result.ExitCode == 0, result.Errors);
        return result.Output;
    }
}
