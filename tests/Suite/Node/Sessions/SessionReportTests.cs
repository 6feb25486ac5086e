using NftCluster.Node.Kernel.Symbols;
using NftCluster.Node.Sessions;

namespace NftCluster.Tests.Node.Sessions;

public sealed class SessionReportTests
{
    [Fact]
    public void A_session_is_announced_with_its_place_which_each_journey_names()
    {
        HostFacts host = new("router", "6.12.0", "0.1.0", TimeProvider.System, new TaskCompletionSource<KernelSymbols>().Task);
        SessionSpec spec = new() { Id = "s1", Netns = "line-r1", Device = "eth0", Mark = "0x10" };

        Assert.Equal(("line-r1", "eth0", "0x10"), SessionReport.AtStart(spec, host) switch { var announced => (announced.Netns, announced.Device, announced.Mark) });
    }
}
