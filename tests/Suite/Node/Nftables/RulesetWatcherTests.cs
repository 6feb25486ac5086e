using NftCluster.Lab;
using NftCluster.Node.Nftables;
using NftCluster.Tests.Lab;
using NftCluster.Tests.Truth;

namespace NftCluster.Tests.Node.Nftables;

/// <summary>Alone: what it judges is how soon a change is heard and read.</summary>
[Collection(TruthTestGroup.Name)]
public sealed class RulesetWatcherTests
{
    private const string Empty = "add table ip t; add chain ip t c";

    [Fact]
    public async Task A_change_is_told_with_who_made_it_and_read()
    {
        Root.Required();
        using NftNetwork network = new();
        network.Nft(Empty);
        using WatchedHistory watched = new(network.Path);
        await watched.HoldsAsync(history => history.Current is not null, "nothing was read");
        long before = Monotonic.NowNs;
        await watched.HoldsAsync(history => history.KnownUntilNs > before, "no confirmation");

        Assert.Equal(0, Tool.Run("ip", ["netns", "exec", network.Name, "nft", "add rule ip t c tcp dport 22 accept"]).ExitCode);
        await watched.HoldsAsync(history => history.Current!.RuleCount == 1, "the change was not read");

        GenerationSeen seen = watched.Facts.OfType<GenerationSeen>().Last();
        Assert.Equal("nft", seen.ProcessName);
        Assert.NotEqual(0, seen.ProcessId);
        Assert.InRange(seen.ReceivedNs, before, Monotonic.NowNs);
        RulesetChain chain = watched.History.Current!.Chains[0];
        RulePlace place = Ruleset.PlaceOf(chain, chain.Rules[0].Handle);
        long now = Monotonic.NowNs;
        await watched.HoldsAsync(history => history.KnownUntilNs > now, "no confirmation");
        Assert.Equal("tcp dport 22 accept", watched.History.Bind(place, now).Text);
        Assert.Equal(BindingState.NoSuchRule, watched.History.Bind(place, before).State);
    }

    [Fact]
    public async Task A_watcher_that_cannot_enter_says_so()
    {
        List<RulesetFact> facts = [];
        TaskCompletionSource<WatchFailed> failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using RulesetWatcher watcher = new("/run/netns/none-of-this-name", fact => failed.TrySetResult((WatchFailed)fact), new RulesetWatcherOptions());

        watcher.Start();

        Assert.IsAssignableFrom<IOException>((await failed.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken)).Error);
    }

    /// <summary>Every reload brings another text under the same handle, so that each wrong generation shows. A quiet machine binds 99 of 100.</summary>
    [Theory]
    [InlineData(200, 20, 0.9)]
    [InlineData(0, 2_000, 0)]
    public async Task Under_reloads_a_text_is_right_or_unknown(int pauseMs, int reloads, double least)
    {
        Root.Required();
        using NftNetwork network = new();
        network.Nft(Reload(0));
        using WatchedHistory watched = new(network.Path);
        await watched.HoldsAsync(history => history.Current is not null, "nothing was read");
        // (begin, end) of each transaction: between the end of one and the begin of the next, exactly one text holds.
        (long Begin, long End)[] commits = await Task.Run(() => NetworkNamespace.Run(network.Name, () => Commit(reloads, pauseMs)), TestContext.Current.CancellationToken);
        long end = Monotonic.NowNs;
        await watched.HoldsAsync(history => history.KnownUntilNs > end && history.Current!.Generation == history.Generation, "the end was not read");

        (long bound, long unknown) = Judge(watched.History, commits);

        double share = (double)bound / (bound + unknown);
        TestContext.Current.TestOutputHelper?.WriteLine($"{reloads} reloads in {(end - commits[0].Begin) / 1e9:0.0} s: {bound} bound, {unknown} unknown ({share:P2}); kept {watched.History.Kept}");
        Assert.True(share >= least, $"{share:P2} of the times carry text");
        Assert.Equal(reloads, watched.History.Changes);
        long gaps = watched.History.TakeGaps(long.MaxValue).Sum(gap => gap.Count);
        // A read that is told late may be of a generation that counts as a gap already: its verdicts stay unknown.
        Assert.InRange(gaps, reloads - watched.Facts.OfType<RulesetRead>().Select(read => read.Ruleset.Generation).Distinct().Count() + 1, reloads);
    }

    private static string Reload(int i) => $"add table ip t; delete table ip t; add table ip t; add chain ip t c; add rule ip t c tcp dport {i + 1} accept";

    private static (long Begin, long End)[] Commit(int reloads, int pauseMs)
    {
        using var nft = NftContext.Open();
        using ManualResetEvent never = new(initialState: false);
        var commits = new (long Begin, long End)[reloads];
        for (int i = 0; i < reloads; i++)
        {
            long begin = Monotonic.NowNs;
            NftResult result = nft.Run(Reload(i + 1));
            Assert.True(result.Ok, result.Errors);
            commits[i] = (begin, Monotonic.NowNs);
            if (pauseMs > 0)
            {
                never.WaitOne(pauseMs); // the pace of the reloads, nothing is waited for
            }
        }
        return commits;
    }

    /// <summary>Asks at many moments of known truth; a packet judged there has its verdict at once.</summary>
    private static (long Bound, long Unknown) Judge(RulesetHistory history, (long Begin, long End)[] commits)
    {
        const int AskedPerReload = 500;
        RulePlace place = new(NftFamily.Ip, "t", "c", 2);
        (long bound, long unknown) = (0, 0);
        for (int i = 0; i + 1 < commits.Length; i++)
        {
            long length = commits[i + 1].Begin - commits[i].End;
            for (int k = 0; k < AskedPerReload; k++)
            {
                RuleBinding binding = history.Bind(place, commits[i].End + length * k / AskedPerReload);
                Assert.NotEqual(BindingState.NoSuchRule, binding.State);
                if (binding.IsBound)
                {
                    Assert.Equal($"tcp dport {i + 2} accept", binding.Text);
                }
                (bound, unknown) = binding.IsBound ? (bound + 1, unknown) : (bound, unknown + 1);
            }
        }
        return (bound, unknown);
    }
}
