using NftCluster.Tests.Lab;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Faults;

/// <summary>What a user got wrong is said in one line that tells what would be right, before anything is attached or written.</summary>
public sealed class BadInputTests
{
    [Theory]
    [InlineData("--duration 0", "--duration '0' is no time: give 500ms, 10s, 5m or 1h")]
    [InlineData("--duration -1", "--duration '-1' is no time: give")]
    [InlineData("--duration 1e400", "--duration '1e400' is no time: give")]
    [InlineData("--duration", "'--duration'")]
    [InlineData("--max-packets 0", "--max-packets '0' is out of range: give a whole number from 1")]
    [InlineData("--max-packets 99999999999999999999", "is out of range: give a whole number from 1")]
    [InlineData("--ring-mb 3", "--ring-mb 3 is no power of two: give 1, 2, 4")]
    [InlineData("--ring-mb 0", "--ring-mb '0' is out of range: give")]
    [InlineData("--ring-mb 99999", "--ring-mb '99999' is out of range: give")]
    [InlineData("--timeout abc", "--timeout 'abc' is no time: give")]
    [InlineData("--max-open 0", "--max-open '0' is out of range: give")]
    [InlineData("--mark zz", "--mark zz is not a mark: give")]
    [InlineData("--name ../../etc", "is no session id: give letters")]
    [InlineData("--bogus", "unknown option --bogus (see: nftcluster trace --help)")]
    [InlineData("--mode verdict", "--mode 'verdict' is unknown: give full")]
    [InlineData("--backend ebpf", "--backend 'ebpf' is unknown: give auto, fentry")]
    [InlineData("--probes netif_recieve_skb", "unknown probe 'netif_recieve_skb': did you mean netif_receive_skb?")]
    [InlineData("--dev nosuch0", "no device 'nosuch0' in this namespace: there are lo")]
    [InlineData("host and", "filter 'host and': can't parse filter expression: syntax error")]
    [InlineData("ether[2000] == 3", "the filter reads byte 2000 of the frame, but only bytes 0 to 127 are looked at")]
    [InlineData("--filter-file /proc/nosuch/filter", "--filter-file /proc/nosuch/filter cannot be read")]
    [InlineData("--host 1.2.3.999", "'1.2.3.999' is no address or prefix: give one such as 10.3.0.2")]
    [InlineData("--json --summary", "--json and --summary exclude each other: give one of them")]
    public async Task A_trace_that_cannot_be_is_refused_in_one_line(string arguments, string expected)
    {
        Root.Required();
        using QuietNetwork network = new();
        using TempDirectory directory = new();

        using RunningProgram trace = await RunningProgram.FinishedAsync(["trace", "--netns", network.Name, "--export", directory.Path, .. arguments.Split(' ')]);

        await AssertRefusedAsync(trace, expected);
        Assert.Empty(directory.Names);
    }

    [Theory]
    [InlineData("trace --netns no-such-namespace", "no network namespace 'no-such-namespace': give a name of `ip netns list`")]
    [InlineData("trace --export /proc/nosuch", "cannot write the export in /proc/nosuch")]
    [InlineData("probes --seconds -1", "--seconds -1 is out of range: give 0 to 3600")]
    [InlineData("frobnicate", "'frobnicate'")]
    [InlineData("show /proc/nosuch.json", "cannot read /proc/nosuch.json")]
    [InlineData("show", "'show'")]
    [InlineData("lab up no-such-topology", "there is no topology 'no-such-topology': give a file, or one of these names: asymmetric, blackhole, dnat, ecmp, fleet")]
    public async Task A_command_that_cannot_be_is_refused_in_one_line(string arguments, string expected)
    {
        Root.Required();

        using RunningProgram program = await RunningProgram.FinishedAsync(arguments.Split(' '));

        await AssertRefusedAsync(program, expected);
    }

    [Theory]
    [InlineData("", "is not an NftCluster export")]
    [InlineData("no JSON", "is broken at byte 0")]
    [InlineData("""{"hello":1}""", "is not an NftCluster export: it has no session or no statistics; give a file written by 'nftcluster trace --export'")]
    [InlineData("""{"session":{"id":"a""", "is broken")]
    public async Task A_file_that_is_no_export_is_refused_in_one_line(string content, string expected)
    {
        using TempDirectory directory = new();
        string path = directory.File("some.json");
        await File.WriteAllTextAsync(path, content, TestContext.Current.CancellationToken);

        using RunningProgram show = await RunningProgram.FinishedAsync("show", path);

        await AssertRefusedAsync(show, expected);
    }

    [Theory]
    [InlineData("{", "not a topology")]
    [InlineData("""{"name":"x","hosts":[{"name":"a"}],"links":[{"a":{"host":"a","device":"e","addresses":["1.2.3.4/99"]},"b":{"host":"a","device":"f","addresses":[]}}]}""", "'1.2.3.4/99' is not an address")]
    public async Task A_broken_topology_is_refused_in_one_line_and_builds_nothing(string content, string expected)
    {
        Root.Required();
        using TempDirectory directory = new();
        string path = directory.File("x.json");
        await File.WriteAllTextAsync(path, content, TestContext.Current.CancellationToken);
        string prefix = Root.NewPrefix();

        using RunningProgram lab = await RunningProgram.FinishedAsync("lab", "up", path, "--prefix", prefix);

        await AssertRefusedAsync(lab, expected);
        Assert.DoesNotContain(Directory.EnumerateFiles("/run/netns"), name => name.Contains(prefix, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_ready_file_that_cannot_be_written_is_refused_before_anything_is_attached()
    {
        Root.Required();
        using QuietNetwork network = new();
        using TempDirectory directory = new();

        using RunningProgram trace = await RunningProgram.FinishedAsync("trace", "--netns", network.Name, "--light", "--export", directory.Path, "--ready-file", "/proc/nosuch/ready");

        await AssertRefusedAsync(trace, "--ready-file /proc/nosuch/ready cannot be written");
        Assert.Empty(directory.Names);
    }

    internal static async Task AssertRefusedAsync(RunningProgram program, string expected)
    {
        Assert.True(await program.ExitAsync() is 1 or 2, program.Describe());
        Assert.Contains(expected, Assert.Single(program.Errors), StringComparison.Ordinal);
        Assert.Empty(program.Output);
    }
}
