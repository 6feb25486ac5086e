using System.Globalization;
using NftCluster.Lab;
using NftCluster.Messages;
using NftCluster.Node.Sessions;
using NftCluster.Tests.Faults;
using NftCluster.Tests.Lab;

namespace NftCluster.Tests.Truth;

/// <summary>Chains on a device come while a session runs: nft's trace is switched on for them soon, and the time until then is told.</summary>
[Collection(TruthTestGroup.Name)]
public sealed class NftRearmTests
{
    private const int Devices = 5;

    [Fact]
    public async Task Chains_that_come_later_are_traced_within_100_ms_and_each_interval_before_is_a_loss_record()
    {
        Root.Required();
        using LabNetwork lab = Root.Line();
        string netns = lab.NamespaceOf("r1");
        await using TracedSession session = await TracedSession.StartWithVerdictsAsync(netns);
        for (int i = 0; i < Devices; i++)
        {
            Assert.Equal(0, Tool.Run("ip", ["-n", netns, "link", "add", $"d{i}", "type", "veth", "peer", "name", $"e{i}"]).ExitCode);
            Nft(netns, $"table netdev t{i} {{ chain c {{ type filter hook ingress device d{i} priority 0; }}; }}");
            string device = $"\"d{i}\"";
            await Eventually.HoldsAsync(() => Ours(netns).Contains(device, StringComparison.Ordinal), () => Ours(netns));
            Nft(netns, "flush ruleset"); // not what is ours
        }
        SessionEnded ended = await session.StopAsync();

        LossRecord[] gaps = [.. ended.Statistics.Losses.Where(loss => loss.Stage == "nft-unmarked")];
        string told = string.Join("; ", gaps.Select(gap => $"{gap.Count} {gap.Kind} {gap.From} … {gap.To}"));
        TestContext.Current.TestOutputHelper?.WriteLine(told);
        Assert.Equal(Devices, gaps.Sum(gap => gap.Count));
        // The machine may be busy with other things in one of them, not in all.
        Assert.True(gaps.Min(Length) <= TimeSpan.FromMilliseconds(100), told);
    }

    private static TimeSpan Length(LossRecord gap) => DateTimeOffset.Parse(gap.To!, CultureInfo.InvariantCulture) - DateTimeOffset.Parse(gap.From!, CultureInfo.InvariantCulture);

    private static string Ours(string netns) => Tool.Run("ip", ["netns", "exec", netns, "nft", "list", "ruleset", "netdev"]).Output;

    private static void Nft(string netns, string commands) => Assert.Equal(0, Tool.Run("ip", ["netns", "exec", netns, "nft", commands]).ExitCode);
}
