using System.CommandLine;
using System.Text;
using NftCluster.Cli;
using NftCluster.Messages;
using NftCluster.Node.Export;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Cli;

public sealed class ShowCommandTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    [Fact]
    public void Journeys_are_the_default()
    {
        (int exitCode, string output, string error) = Show(Export(Samples.Statistics(), Samples.Forwarded(), Samples.Dropped()));

        Assert.Equal((0, ""), (exitCode, error));
        Assert.StartsWith("FORWARDED ", output, StringComparison.Ordinal);
        Assert.Contains("\nDROPPED ", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Filters_and_JSON_lines_go_together()
    {
        (_, string output, _) = Show(Export(Samples.Statistics(), Samples.Forwarded(), Samples.Dropped()), "--json", "--drops");

        Assert.Contains("\"drop_reason\":\"NO_SOCKET\"", Assert.Single(output.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);
    }

    [Fact]
    public void A_summary_tells_the_session_and_what_matched()
    {
        (_, string output, _) = Show(Export(Samples.Statistics(), Samples.Forwarded(), Samples.Dropped()), "--summary", "--drops");

        Assert.Contains("no event lost", output, StringComparison.Ordinal);
        Assert.Contains("matching      1 of 2 traces, 3 events", output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_limit_ends_the_list_and_says_so()
    {
        (int exitCode, string output, string error) = Show(Export(Samples.Statistics(), Samples.Forwarded(), Samples.Dropped()), "--limit", "1");

        Assert.Equal(0, exitCode);
        Assert.DoesNotContain("DROPPED", output, StringComparison.Ordinal);
        Assert.Equal("nftcluster: stopped after 1 trace (--limit)\n", error);
    }

    [Fact]
    public void A_filter_that_leaves_nothing_is_named()
    {
        (int exitCode, string output, string error) = Show(Export(Samples.Statistics(), Samples.Forwarded()), "--host", "10.9.9.9");

        Assert.Equal((0, "", "nftcluster: 0 of 1 trace matches: --host 10.9.9.9 excluded all\n"), (exitCode, output, error));
    }

    [Fact]
    public void A_session_that_saw_nothing_says_so()
    {
        StatisticsRecord nothing = Samples.Statistics() with { TotalEvents = 0, TotalPackets = 0, ValuablePackets = 0 };

        (_, _, string error) = Show(Export(nothing));

        Assert.Equal("nftcluster: the session saw no packets: 0 events from 34 probes; filter was 'udp port 5000', netns /run/netns/r1\n", error);
    }

    [Fact]
    public void A_session_without_valuable_packets_points_to_all()
    {
        (_, _, string error) = Show(Export(Samples.Statistics(lost: 5) with { ValuablePackets = 0 }));

        Assert.Contains("saw 1,204 packets but no valuable one", error, StringComparison.Ordinal);
        Assert.Contains("trace with --all", error, StringComparison.Ordinal);
        Assert.EndsWith("; 5 lost (5 events at ring-full)\n", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("none.json")]
    [InlineData("")]
    [InlineData("text.json")]
    public void A_file_that_is_no_export_ends_in_one_line_and_exit_code_1(string name)
    {
        File.WriteAllText(_directory.File("text.json"), "hello");

        (int exitCode, string output, string error) = Show(_directory.File(name));

        Assert.Equal((1, ""), (exitCode, output));
        Assert.StartsWith("nftcluster: ", Assert.Single(error.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--limit", "0", "nftcluster: --limit: '0' is no number of traces: give 1 or more\n")]
    [InlineData("--port", "x", "nftcluster: --port: 'x' is no port: give a number from 0 to 65535\n")]
    public void A_wrong_option_is_told_before_the_file_is_read(string option, string value, string complaint) =>
        Assert.Equal((1, "", complaint), Show("none", option, value));

    [Fact]
    public void Json_and_summary_exclude_each_other() => Assert.Equal(1, Show("none", "--json", "--summary").ExitCode);

    public void Dispose() => _directory.Dispose();

    private string Export(StatisticsRecord statistics, params TraceRecord[] traces)
    {
        using var writer = ExportWriter.Create(_directory.Path, Samples.Session());
        foreach (TraceRecord trace in traces)
        {
            writer.Append(trace);
        }

        return writer.Complete(Samples.Session(), statistics);
    }

    private static (int ExitCode, string Output, string Error) Show(string path, params string[] options)
    {
        using var output = new MemoryStream();
        using var error = new StringWriter();
        Command show = ShowCommand.Create(() => output, () => false);
        int exitCode = show.Parse([path, .. options]).Invoke(new InvocationConfiguration { Error = error });
        return (exitCode, Encoding.UTF8.GetString(output.ToArray()), error.ToString());
    }
}
