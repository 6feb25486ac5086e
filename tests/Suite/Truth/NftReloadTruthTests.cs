using System.Globalization;
using NftCluster.Lab;
using NftCluster.Messages;
using NftCluster.Node.Nftables;
using NftCluster.Node.Sessions;
using NftCluster.Tests.Lab;

namespace NftCluster.Tests.Truth;

/// <summary>Under traffic the ruleset is loaded anew, again and again: each rule's text says its generation, so each wrong text shows.</summary>
[Collection(TruthTestGroup.Name)]
public sealed class NftReloadTruthTests
{
    /// <summary>A quiet machine gives 99 of 100 verdicts their text; one that runs other things widens the doubt around each change.</summary>
    [Theory]
    [InlineData(200, 25, 0.95)]
    [InlineData(0, 2_000, 0)]
    public async Task A_verdict_carries_the_text_that_held_at_its_time_or_says_that_it_is_unknown(int pauseMs, int reloads, double least)
    {
        Root.Required();
        using LabNetwork lab = Root.Line();
        string netns = lab.NamespaceOf("r1");
        NetworkNamespace.Run(netns, () => Load(1, 0));
        await using TracedSession session = await TracedSession.StartWithVerdictsAsync(netns);
        using var stop = new CancellationTokenSource();
        Task<int> sending = Task.Run(() => Send(lab, stop.Token), TestContext.Current.CancellationToken);

        (DateTimeOffset Begin, DateTimeOffset End)[] loads = await Task.Run(() => NetworkNamespace.Run(netns, () => Load(reloads, pauseMs)), TestContext.Current.CancellationToken);
        await stop.CancelAsync();
        int sent = await sending;
        SessionEnded ended = await session.StopAsync();

        Assert.Null(ended.Session.FailureReason);
        NftEventRecord[] rules = [.. session.Traces.SelectMany(trace => trace.NftEvents).Where(step => step is { RuleHandle: not null, Table: "t" })];
        long lost = ended.Statistics.Losses.Where(loss => loss.Stage is "ring-full" or "nft-unjoined").Sum(loss => loss.Count);
        int texts = rules.Count(step => step.RuleText is not null);
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{sent} packets, {rules.Length} verdicts of rules, {texts} with text ({(double)texts / rules.Length:P2}), lost {lost}; {string.Join(", ", rules.CountBy(step => step.TextUnknown ?? "text", StringComparer.Ordinal))}; {reloads / (loads[^1].End - loads[0].Begin).TotalSeconds:0} reloads/s; {string.Join("; ", ended.Statistics.Losses.Where(loss => loss.Count > 0).Select(loss => $"{loss.Count} {loss.Stage} {loss.From} … {loss.To}"))}"));
        Assert.InRange(rules.Length, 1, int.MaxValue);
        Assert.All(rules, step => AssertHeld(step, loads));
        Assert.True(texts >= least * rules.Length, $"{texts} of {rules.Length} carry text: {string.Join(", ", rules.CountBy(step => step.TextUnknown ?? "text", StringComparer.Ordinal))}");
    }

    /// <summary>In force from the begin of its load at the earliest to the end of the next one's at the latest, and packets under way.</summary>
    private static void AssertHeld(NftEventRecord step, (DateTimeOffset Begin, DateTimeOffset End)[] loads)
    {
        Assert.Equal(step.RuleText is null, step.TextUnknown is not null);
        if (step.RuleText is not { } text)
        {
            return;
        }
        const string Before = "counter comment \"g";
        Assert.StartsWith(Before, text, StringComparison.Ordinal);
        int generation = int.Parse(text.AsSpan(Before.Length).TrimEnd('"'), CultureInfo.InvariantCulture);
        var at = DateTimeOffset.Parse(step.Timestamp, CultureInfo.InvariantCulture);
        // The wall clock is read apart from the kernel's: they agree to some hundred microseconds.
        var slack = TimeSpan.FromMilliseconds(2);
        bool isHeld = (generation == 0 || loads[generation - 1].Begin - slack <= at) && (generation >= loads.Length || at <= loads[generation].End + slack);
        Assert.True(isHeld, $"g{generation} at {at:O}");
    }

    private static (DateTimeOffset Begin, DateTimeOffset End)[] Load(int count, int pauseMs)
    {
        using var nft = NftContext.Open();
        using ManualResetEvent never = new(initialState: false);
        var loads = new (DateTimeOffset, DateTimeOffset)[count];
        for (int i = 0; i < count; i++)
        {
            DateTimeOffset begin = TimeProvider.System.GetUtcNow();
            int generation = count == 1 ? 0 : i + 1;
            NftResult result = nft.Run($"add table inet t; delete table inet t; table inet t {{ chain c {{ type filter hook forward priority 0; policy accept; counter comment \"g{generation}\"; }}; }}");
            Assert.True(result.Ok, result.Errors);
            loads[i] = (begin, TimeProvider.System.GetUtcNow());
            if (pauseMs > 0)
            {
                never.WaitOne(pauseMs); // the pace of the reloads, nothing is waited for
            }
        }
        return loads;
    }

    /// <summary>Two packets a millisecond at most: the reloads are what is tried, not the ring.</summary>
    private static int Send(LabNetwork lab, CancellationToken stop)
    {
        int sent = 0;
        while (!stop.IsCancellationRequested)
        {
            sent += (int)Traffic.Udp(lab, new TrafficRequest { Count = 200, Rate = 2000 }).Sent;
        }
        return sent;
    }
}
