using NftCluster.Cli.Views;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Cli.Views;

public sealed class SummaryViewTests
{
    [Fact]
    public void A_summary_reads_at_a_glance() => Assert.Equal(
        """
        session       s1  full  STOPPED  on router, netns /run/netns/r1, Linux 6.12.0
        time          2025-01-31T14:03:05.999999999Z … 2025-01-31T14:03:15.000000001Z
        filter        'udp port 5000', netns /run/netns/r1
        packets       1,204 seen, 1,100 valuable, 0 exported
        events        12,345, 1,235/s, from 34 functions, 7 repeats left out
        verdicts      forwarded         1,200   99.7 %
                      dropped               4    0.3 %
        drop reasons  NO_SOCKET             4  100.0 %
        top functions ip_rcv             1,204   52.3 %
                      ip_forward         1,100   47.7 %
        losses        no event lost (watched: probe-missed, ring-full)

        """,
        Render(lost: 0));

    [Fact]
    public void A_loss_is_named_with_its_stage_and_time() => Assert.EndsWith(
        "LOST          1,500 events at ring-full, 2025-01-31T14:03:08Z … 2025-01-31T14:03:09Z\n",
        Render(lost: 1_500),
        StringComparison.Ordinal);

    private static string Render(long lost)
    {
        using var text = new StringWriter();
        using var terminal = new TerminalWriter(text, colour: false);
        new SummaryView(terminal).Render(Samples.Session(), Samples.Statistics(lost));
        return text.ToString();
    }
}
