using NftCluster.Node.Kernel.Probes;

namespace NftCluster.Tests.Node.Kernel.Probes;

public sealed class ProbeSelectionTests
{
    [Fact]
    public void The_named_sets_are_known()
    {
        Assert.Equal(ProbeCatalog.All, Select("all"));
        Assert.Equal(ProbeCatalog.Light.Order(ByIndex()), Select("light"));
        Assert.Equal(["netif_receive_skb", "net_dev_queue", "net_dev_start_xmit", "kfree_skb", "consume_skb"], Select("five").Select(row => row.Name), StringComparer.Ordinal);
    }

    [Fact]
    public void A_bare_name_means_the_tracepoint_where_there_are_both()
    {
        Assert.Equal(["tp:netif_receive_skb"], Select("netif_receive_skb").Select(row => row.QualifiedName), StringComparer.Ordinal);
        Assert.Equal(["fn:netif_receive_skb"], Select("fn:netif_receive_skb").Select(row => row.QualifiedName), StringComparer.Ordinal);
    }

    [Fact]
    public void Names_and_sets_can_be_mixed_and_repeated() => Assert.Equal(
        ["netif_receive_skb", "ip_forward", "net_dev_start_xmit", "kfree_skb"],
        Select("light, ip_forward,kfree_skb").Select(row => row.Name), StringComparer.Ordinal);

    [Theory]
    [InlineData("ip_forwrd", "did you mean ip_forward?")]
    [InlineData("udp_recv", "did you mean udp_rcv?")]
    [InlineData("tp:kfre_skb", "did you mean kfree_skb?")]
    [InlineData("dev_queue_x", "did you mean __dev_queue_xmit?")]
    public void An_unknown_probe_is_refused_with_a_suggestion(string name, string suggestion)
    {
        bool parsed = ProbeSelection.TryParse(name, out _, out string? error);

        Assert.False(parsed);
        Assert.Contains(suggestion, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" , ")]
    [InlineData("xyzzyxyzzyxyzzy")]
    public void Nonsense_is_refused_in_one_line(string text)
    {
        bool parsed = ProbeSelection.TryParse(text, out _, out string? error);

        Assert.False(parsed);
        Assert.Contains("nftcluster probes", error, StringComparison.Ordinal);
        Assert.DoesNotContain("did you mean", error, StringComparison.Ordinal);
    }

    private static Comparer<ProbeDefinition> ByIndex()
    {
        var all = ProbeCatalog.All.ToList();
        return Comparer<ProbeDefinition>.Create((a, b) => all.IndexOf(a) - all.IndexOf(b));
    }

    private static IReadOnlyList<ProbeDefinition> Select(string text)
    {
        Assert.True(ProbeSelection.TryParse(text, out IReadOnlyList<ProbeDefinition> rows, out string? error), error);
        return rows;
    }

    [Fact]
    public void A_bare_name_is_the_function_and_not_its_return()
    {
        Assert.True(ProbeSelection.TryParse("nf_hook_slow,ret:nf_hook_slow", out IReadOnlyList<ProbeDefinition> rows, out _));

        Assert.Equal(["fn:nf_hook_slow", "ret:nf_hook_slow"], rows.Select(row => row.QualifiedName), StringComparer.Ordinal);
    }
}
