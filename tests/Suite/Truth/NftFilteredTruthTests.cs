using NftCluster.Lab;
using NftCluster.Messages;
using NftCluster.Node.Sessions;
using NftCluster.Tests.Lab;

namespace NftCluster.Tests.Truth;

/// <summary>
/// A filtered session has the kernel mark few packets. Beside one that has all of them marked it would see the same: the same traffic
/// twice, through filtering and NAT, shows whether a verdict is missing.
/// </summary>
[Collection(TruthTestGroup.Name)]
public sealed class NftFilteredTruthTests
{
    [Theory]
    [InlineData("host 10.1.0.2 and udp", false)]
    [InlineData("dst host 10.3.0.2", false)]
    [InlineData("net 10.2.0.0/24", false)]
    [InlineData("udp dst portrange 6200-6210", false)]
    [InlineData("icmp or udp port 7000", false)]
    [InlineData("ip6 host fd03::2 and udp", true)]
    public async Task Few_marks_show_the_verdicts_that_all_marks_would(string filter, bool ipv6)
    {
        Root.Required();

        string[] few = await VerdictsAsync(filter, ipv6, isAlone: true);
        string[] all = await VerdictsAsync(filter, ipv6, isAlone: false);

        Assert.NotEmpty(all);
        Assert.Equal(all, few);
    }

    private static async Task<string[]> VerdictsAsync(string filter, bool ipv6, bool isAlone)
    {
        using LabNetwork lab = Root.Line();
        string netns = lab.NamespaceOf("r1");
        NftWorld world = NftNatWorld.Make(ipv6);
        Assert.Equal(0, Tool.Run("ip", ["netns", "exec", netns, "nft", "-f", "-"], world.Ruleset).ExitCode);
        await using TracedSession session = await TracedSession.StartWithVerdictsAsync(netns, filter);
        if (!isAlone)
        {
            await session.WantEverythingAsync(netns);
        }
        string marks = Tool.Run("ip", ["netns", "exec", netns, "nft", "list", "ruleset"]).Output;
        Assert.Equal(isAlone, marks.Contains("ct status snat,dnat meta nftrace set 1 accept", StringComparison.Ordinal));
        NftFlowTraffic traffic = new(lab, ipv6);

        foreach (NftFlow flow in world.Flows.Where(flow => flow.Kind is NftFlowKind.Answered or NftFlowKind.Unanswered or NftFlowKind.Rejected))
        {
            traffic.Send(flow);
        }
        traffic.End();

        SessionEnded ended = await session.StopAsync();
        Assert.Null(ended.Session.FailureReason);
        return [.. session.Traces.Where(trace => trace.NftEvents.Count > 0 && NftPacket.Of(trace) is { DestinationPort: not NftFlowTraffic.LastPort }).Select(Line).Order(StringComparer.Ordinal)];
    }

    private static string Line(TraceRecord trace) => $"{NftPacket.Of(trace)! with { IpId = null }}: {NftStep.Words(NftTruthRun.StepsOf(trace))}";
}
