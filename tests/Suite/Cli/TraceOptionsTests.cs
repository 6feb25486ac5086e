using System.CommandLine;
using NftCluster.Cli;
using NftCluster.Node.Kernel;
using NftCluster.Node.Kernel.Probes;

namespace NftCluster.Tests.Cli;

public sealed class TraceOptionsTests
{
    [Fact]
    public void Without_options_everything_of_this_namespace_is_followed()
    {
        TraceRequest request = Bind();

        Assert.Equal((ProbeCatalog.All.Count, null, 32u << 20), (request.Tracer.Probes.Count, request.Tracer.Backend, request.Tracer.RingBytes));
        Assert.Equal(("full", "", "valuable", 0L), (request.Spec.Mode, request.Spec.Filter, request.Spec.Quality, request.Spec.MaxPackets));
        Assert.Equal((5_000_000_000ul, 100_000), (request.Spec.Tracker.TimeoutNs, request.Spec.Tracker.MaxOpen));
        Assert.Equal(8, request.Spec.Id.Length);
        Assert.Null(request.Duration);
    }

    [Fact]
    public void The_filter_is_typed_as_for_tcpdump() =>
        Assert.Equal("host 10.3.0.2 and tcp port 80", Bind("host", "10.3.0.2", "and", "tcp", "port", "80").Spec.Filter);

    [Theory]
    [InlineData("500ms", 500)]
    [InlineData("10s", 10_000)]
    [InlineData("2.5s", 2_500)]
    [InlineData("7", 7_000)]
    [InlineData("5m", 300_000)]
    [InlineData("1h", 3_600_000)]
    public void Times_have_units(string text, long milliseconds)
    {
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), Bind("--duration", text).Duration);
        Assert.Equal((ulong)milliseconds * 1_000_000, Bind("--timeout", text).Spec.Tracker.TimeoutNs);
    }

    [Fact]
    public void Values_reach_what_they_are_for()
    {
        TraceRequest request = Bind("--light", "--backend", "kprobe-multi", "--ring-mb", "64", "--max-packets", "12", "--max-open", "9", "--name", "a-1.b", "--all", "--mark", "0x10/0xf0");

        Assert.Equal((ProbeCatalog.Light.Count, Backend.KprobeMulti, 64u << 20), (request.Tracer.Probes.Count, request.Tracer.Backend, request.Tracer.RingBytes));
        Assert.Equal((12L, 9, "a-1.b", "all", "0x10/0xf0"), (request.Spec.MaxPackets, request.Spec.Tracker.MaxOpen, request.Spec.Id, request.Spec.Quality, request.Spec.Mark));
    }

    [Theory]
    [InlineData("--mode", "fast", "--mode 'fast' is unknown: give full or nft")]
    [InlineData("--backend", "ebpf", "--backend 'ebpf' is unknown: give auto, fentry, kprobe-multi, kprobe, tracepoint, netfilter, nft-netlink")]
    [InlineData("--ring-mb", "3", "--ring-mb 3 is no power of two: give 1, 2, 4 … 1024")]
    [InlineData("--ring-mb", "0", "--ring-mb '0' is out of range: give a whole number from 1 to 1024")]
    [InlineData("--ring-mb", "4096", "--ring-mb '4096' is out of range: give a whole number from 1 to 1024")]
    [InlineData("--max-packets", "99999999999999999999", "--max-packets '99999999999999999999' is out of range: give a whole number from 1 to 9223372036854775807")]
    [InlineData("--max-packets", "ten", "--max-packets 'ten' is out of range: give a whole number from 1 to 9223372036854775807")]
    [InlineData("--max-open", "0", "--max-open '0' is out of range: give a whole number from 1 to 10000000")]
    [InlineData("--duration", "0s", "--duration '0s' is no time: give 500ms, 10s, 5m or 1h, at most 1000h")]
    [InlineData("--duration", "1300h", "--duration '1300h' is no time: give 500ms, 10s, 5m or 1h, at most 1000h")]
    [InlineData("--duration", "9999999h", "--duration '9999999h' is no time: give 500ms, 10s, 5m or 1h, at most 1000h")]
    [InlineData("--timeout", "soon", "--timeout 'soon' is no time: give 500ms, 10s, 5m or 1h, at most 1000h")]
    [InlineData("--timeout", "NaN", "--timeout 'NaN' is no time: give 500ms, 10s, 5m or 1h, at most 1000h")]
    [InlineData("--name", "../x", "--name '../x' is no session id: give letters, digits, - and ., at most 64")]
    [InlineData("--name", "", "--name '' is no session id: give letters, digits, - and ., at most 64")]
    public void A_bad_value_is_one_line_that_says_what_would_be_right(string option, string value, string complaint) =>
        Assert.Equal(complaint, Assert.Throws<UsageException>(() => Bind(option, value)).Message);

    [Fact]
    public void What_does_not_exist_is_one_line_too()
    {
        Assert.Contains("no_such_probe", OneLine<UsageException>("--probes", "no_such_probe"), StringComparison.Ordinal);
        Assert.StartsWith("no network namespace 'no-such-namespace': give", OneLine<KernelException>("--netns", "no-such-namespace"), StringComparison.Ordinal);
        Assert.StartsWith("--filter-file /none/such cannot be read: ", OneLine<UsageException>("--filter-file", "/none/such"), StringComparison.Ordinal);
    }

    [Fact]
    public void What_excludes_each_other_is_said()
    {
        Assert.Equal("--json and --summary exclude each other: give one of them", OneLine<UsageException>("--json", "--summary"));
        Assert.Equal("a filter on the command line and --filter-file exclude each other: give one of them", OneLine<UsageException>("--filter-file", "/none", "udp"));
    }

    private static string OneLine<TException>(params string[] options)
        where TException : Exception
    {
        string message = Assert.Throws<TException>(() => Bind(options)).Message;
        Assert.DoesNotContain('\n', message);
        return message;
    }

    private static TraceRequest Bind(params string[] options)
    {
        Command command = new("trace");
        TraceOptions bound = new TraceOptions().AddTo(command);
        return bound.Bind(command.Parse(options));
    }
}
