using NftCluster.Lab;
using NftCluster.Tests.Lab;

namespace NftCluster.Tests.Truth;

/// <summary>
/// client – r1 – r2 – server: the verdicts in r1's traces are those that follow from its ruleset, those that nft's own monitor tells of
/// the same packets, and carry the texts of its listing.
/// </summary>
[Collection(TruthTestGroup.Name)]
public sealed class NftTruthTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task Filtering_every_packet_has_exactly_the_steps_that_the_ruleset_says(bool ipv6) => CheckAsync(NftFilterWorld.Make(ipv6), ipv6);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task NAT_every_packet_keeps_one_trace_with_exactly_the_steps_that_the_ruleset_says(bool ipv6) => CheckAsync(NftNatWorld.Make(ipv6), ipv6);

    private static async Task CheckAsync(NftWorld world, bool ipv6)
    {
        Root.Required();
        using LabNetwork lab = Root.Line();
        var traffic = new NftFlowTraffic(lab, ipv6);

        NftTruthRun run = await NftTruthRun.WatchAsync(lab, "r1", world.Ruleset, $"dport {NftFlowTraffic.LastPort}", () =>
        {
            foreach (NftFlow flow in world.Flows)
            {
                traffic.Send(flow);
            }
            traffic.End();
        });

        run.AssertJoined();
        run.AssertMonitorAgrees();
        run.AssertTexts();
        new NftDerivation(world, run, new LabExchange(lab, ipv6)).AssertAll();
    }
}
