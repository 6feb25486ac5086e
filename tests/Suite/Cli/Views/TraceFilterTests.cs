using System.CommandLine;
using NftCluster.Cli.Views;
using NftCluster.Messages;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Cli.Views;

public sealed class TraceFilterTests
{
    [Theory]
    [InlineData("", "forwarded,dropped")]
    [InlineData("--host 10.1.0.2", "forwarded,dropped")]
    [InlineData("--host 192.0.2.1", "forwarded")]
    [InlineData("--host 192.0.2.7/24", "forwarded")]
    [InlineData("--host 10.9.9.9", "")]
    [InlineData("--host 10.9.9.9 --host 192.0.2.1", "forwarded")]
    [InlineData("--host fe80::1", "")]
    [InlineData("--port 9", "dropped")]
    [InlineData("--port 1024", "forwarded")]
    [InlineData("--protocol udp", "forwarded,dropped")]
    [InlineData("--protocol 17", "forwarded,dropped")]
    [InlineData("--protocol tcp", "")]
    [InlineData("--verdict Dropped", "dropped")]
    [InlineData("--verdict dropped --verdict forwarded", "forwarded,dropped")]
    [InlineData("--direction inbound", "dropped")]
    [InlineData("--function ip_forward", "forwarded")]
    [InlineData("--function *udp*", "dropped")]
    [InlineData("--function IP_FORWARD", "")]
    [InlineData("--drops", "dropped")]
    [InlineData("--incomplete", "dropped")]
    [InlineData("--reason no_socket", "dropped")]
    [InlineData("--reason SKB_DROP_REASON_NO_*", "dropped")]
    [InlineData("--since 14:03:07", "forwarded,dropped")]
    [InlineData("--since 14:03:08", "")]
    [InlineData("--until 14:03:07.2 --since 2025-01-31T14:03:07Z", "forwarded,dropped")]
    [InlineData("--until 2025-01-31T15:03:07+01:00", "")]
    [InlineData("--host 192.0.2.1 --drops", "")]
    public void An_option_keeps_exactly_the_traces_it_names(string arguments, string expected)
    {
        TraceFilter filter = Bind(arguments);

        IEnumerable<string> kept = new[] { Samples.Forwarded(), Samples.Dropped() }.Where(filter.Matches).Select(t => t.FinalVerdict);

        Assert.Equal(expected, string.Join(',', kept));
    }

    [Theory]
    [InlineData("--verdict drop", true)]
    [InlineData("--verdict Accept", false)]
    [InlineData("--verdict accept --verdict DROP", true)]
    public void A_verdict_of_nft_keeps_the_packets_of_which_a_rule_said_it(string arguments, bool isKept)
    {
        TraceFilter filter = Bind(arguments);

        Assert.Equal((isKept, false), (filter.Matches(Samples.Full()), filter.Matches(Samples.Forwarded())));
    }

    [Theory]
    [InlineData("--host example", "--host: 'example' is no address or prefix: give one such as 10.3.0.2 or 10.3.0.0/16")]
    [InlineData("--host 10.0.0.0/33", "--host: '10.0.0.0/33' is no address or prefix: give one such as 10.3.0.2 or 10.3.0.0/16")]
    [InlineData("--port 65536", "--port: '65536' is no port: give a number from 0 to 65535")]
    [InlineData("--protocol 256", "--protocol: '256' is no protocol: give a name such as tcp or a number from 0 to 255")]
    [InlineData("--verdict lost", "--verdict: 'lost' is no verdict: give one of delivered, forwarded, dropped, consumed, unknown, or what nft says: accept, drop, jump, goto, return, continue, queue, stolen")]
    [InlineData("--direction up", "--direction: 'up' is no direction: give one of inbound, forward, outbound, unknown")]
    [InlineData("--since noon", "--since: 'noon' is no time: give one such as 14:03:07.5 (UTC) or 2025-01-31T14:03:07Z")]
    public void A_wrong_value_is_told_in_one_line(string arguments, string complaint)
    {
        (Command command, TraceFilterOptions options) = Options();

        Assert.False(options.TryBind(command.Parse(arguments), out _, out string? error));
        Assert.Equal(complaint, error);
    }

    [Theory]
    [InlineData("--host 10.9.9.9 --drops", "0 of 2 traces match: --host 10.9.9.9 excluded all")]
    [InlineData("--host 192.0.2.1 --drops", "0 of 2 traces match: none meets all of --host 192.0.2.1 (1 alone), --drops (1 alone)")]
    public void An_empty_result_names_the_guilty(string arguments, string explanation)
    {
        var tally = new FilterTally(Bind(arguments));
        TraceRecord[] traces = [Samples.Forwarded(), Samples.Dropped()];

        Assert.DoesNotContain(traces, tally.Matches);
        Assert.Equal(explanation, tally.Explain());
    }

    private static TraceFilter Bind(string arguments)
    {
        (Command command, TraceFilterOptions options) = Options();
        Assert.True(options.TryBind(command.Parse(arguments), out TraceFilter filter, out string? error), error);
        return filter;
    }

    private static (Command Command, TraceFilterOptions Options) Options()
    {
        var command = new Command("show");
        return (command, new TraceFilterOptions().AddTo(command));
    }
}
