using NftCluster.Node.Kernel.Filter;

namespace NftCluster.Tests.Node.Kernel.Filter;

public sealed class FilterCompilerTests
{
    [Theory]
    [InlineData("")]
    [InlineData("  \t\n ")]
    public void An_empty_expression_is_every_packet(string expression)
    {
        FilterProgram program = FilterCompiler.Compile(expression);

        Assert.True(program.Instructions.IsEmpty);
        Assert.Empty(FilterTranslator.Translate(program));
        Assert.True(FilterEvaluator.Matches([], [], 0));
    }

    [Theory]
    [InlineData("hots 10.3.0.2", "syntax error")]
    [InlineData("host 10.3.0.2 and", "syntax error")]
    [InlineData("port 99999", "port")]
    [InlineData("icmp port 3", "illegal qualifier of 'port'")]
    [InlineData("net 10.3.0.1/16", "non-network bits set in \"10.3.0.1/16\"")]
    [InlineData("ip[8] / 0 = 1", "division by zero")]
    [InlineData("tcp and udp", "expression rejects all packets")]
    public void What_libpcap_refuses_is_refused_with_its_own_message(string expression, string message)
    {
        FilterException refused = Assert.Throws<FilterException>(() => FilterCompiler.Compile(expression));

        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
    }

    [Theory]
    [InlineData("inbound", "--dev")]
    [InlineData("outbound and tcp", "--dev")]
    [InlineData("ip6 protochain 6", "protochain")]
    [InlineData("ether[126:4] = 1", "byte 129")]
    [InlineData("udp[100] = 1", null)]
    [InlineData("udp[120] = 1", "byte 134")]
    public void What_a_header_sample_cannot_answer_is_refused_with_the_reason(string expression, string? reason)
    {
        if (reason is null)
        {
            Assert.NotEmpty(FilterTranslator.Translate(FilterCompiler.Compile(expression)));
            return;
        }

        FilterException refused = Assert.Throws<FilterException>(() => FilterCompiler.Compile(expression));

        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
    }

    [Theory]
    [InlineData("ifname eth0")]
    [InlineData("gateway router.invalid")]
    public void Expressions_about_devices_and_gateways_are_refused(string expression) =>
        Assert.Throws<FilterException>(() => FilterCompiler.Compile(expression));

    [Fact]
    public void Absurd_expressions_are_refused_in_one_line()
    {
        string endless = new('(', 1_000_000);
        string nested = new('(', 30_000);

        Assert.Throws<FilterException>(() => FilterCompiler.Compile(endless));
        Assert.Throws<FilterException>(() => FilterCompiler.Compile(nested));
        Assert.Throws<FilterException>(() => FilterCompiler.Compile("host 10.3.0.2\0or tcp"));
    }

    [Fact]
    public void A_missing_libpcap_says_what_to_install()
    {
        var missing = FilterException.LibraryMissing(new DllNotFoundException());

        Assert.Contains("apt-get install libpcap0.8", missing.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', missing.Message);
    }

    [Fact]
    public void Many_threads_may_compile_at_once() =>
        Parallel.For(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = TestContext.Current.CancellationToken }, i =>
        {
            FilterProgram program = FilterCompiler.Compile($"host 10.3.0.{i} and port {i + 1}");
            Assert.Contains(program.Instructions.ToArray(), instruction => instruction.K == 0x0a030000 + (uint)i);
        });
}
