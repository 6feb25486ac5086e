using NftCluster.Cli.Views;
using NftCluster.Messages;
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

    [Fact]
    public void Many_intervals_of_one_stage_are_told_together_behind_the_first()
    {
        LossRecord[] gaps = [.. Enumerable.Range(1, 8).Select(i => new LossRecord { Stage = "ruleset-unread", Kind = "generations", Count = i, From = $"2025-01-31T14:03:0{i}Z", To = $"2025-01-31T14:03:0{i}.5Z" })];

        Assert.EndsWith(
            """
            LOST          1 generations at ruleset-unread, 2025-01-31T14:03:01Z … 2025-01-31T14:03:01.5Z
                          2 generations at ruleset-unread, 2025-01-31T14:03:02Z … 2025-01-31T14:03:02.5Z
                          3 generations at ruleset-unread, 2025-01-31T14:03:03Z … 2025-01-31T14:03:03.5Z
                          4 generations at ruleset-unread, 2025-01-31T14:03:04Z … 2025-01-31T14:03:04.5Z
                          5 generations at ruleset-unread, 2025-01-31T14:03:05Z … 2025-01-31T14:03:05.5Z
                          21 generations more at ruleset-unread in 3 intervals, until 2025-01-31T14:03:08.5Z

            """,
            Render(Samples.Session(), Samples.Statistics(0) with { Losses = gaps }),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Ways_that_no_probe_sees_are_told() => Assert.Contains(
        "not visible   connections in flow table inet filter fast on eth0\n",
        Render(Samples.Session() with { NotVisible = ["connections in flow table inet filter fast on eth0"] }, Samples.Statistics(0)),
        StringComparison.Ordinal);

    private static string Render(long lost) => Render(Samples.Session(), Samples.Statistics(lost));

    private static string Render(SessionRecord session, StatisticsRecord statistics)
    {
        using var text = new StringWriter();
        using var terminal = new TerminalWriter(text, colour: false);
        new SummaryView(terminal).Render(session, statistics);
        return text.ToString();
    }
}
