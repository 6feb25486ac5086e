using NftCluster.Lab;

namespace NftCluster.Tests.Lab;

public sealed class LabNetworkTests
{
    private static readonly Topology _pair = TopologyFile.Parse("""
        {
          "name": "pair",
          "hosts": [ { "name": "a", "sysctls": { "net.ipv4.ip_default_ttl": "99" } }, { "name": "b" } ],
          "links": [ { "a": { "host": "a", "device": "eth0", "addresses": [ "10.0.0.1/24" ] }, "b": { "host": "b", "device": "eth0", "addresses": [ "10.0.0.2/24" ] } } ]
        }
        """);

    [Fact]
    public void Down_leaves_nothing_and_may_be_said_twice()
    {
        Root.Required();
        string prefix = Root.NewPrefix();
        var lab = LabNetwork.Up(_pair, prefix);
        string[] namespaces = [.. lab.Namespaces.Select(pair => pair.Namespace)];
        Assert.All(namespaces, name => Assert.True(NetworkNamespace.Exists(name)));

        IReadOnlyList<string> removed = LabNetwork.Down(prefix);

        Assert.Equal(namespaces, removed, StringComparer.Ordinal);
        Assert.All(namespaces, name => Assert.False(NetworkNamespace.Exists(name)));
        Assert.DoesNotContain(prefix, LabNetwork.Prefixes(), StringComparer.Ordinal);
        Assert.Empty(LabNetwork.Down(prefix));
    }

    [Fact]
    public void Up_sweeps_what_an_earlier_lab_left()
    {
        Root.Required();
        string prefix = Root.NewPrefix();
        LabNetwork.Up(_pair, prefix);
        string before = NetworkNamespace.Run($"{prefix}-a", LoopbackAlias);

        using var again = LabNetwork.Up(_pair, prefix);

        Assert.NotEqual(before, NetworkNamespace.Run(again.NamespaceOf("a"), LoopbackAlias), StringComparer.Ordinal);
    }

    [Fact]
    public void Settings_of_a_host_are_made_in_its_namespace_only()
    {
        Root.Required();
        using var lab = LabNetwork.Up(_pair, Root.NewPrefix());

        Assert.Equal(99, NetworkNamespace.Run(lab.NamespaceOf("a"), Ttl));
        Assert.NotEqual(99, NetworkNamespace.Run(lab.NamespaceOf("b"), Ttl));
    }

    [Fact]
    public void A_partial_lab_is_taken_down()
    {
        Root.Required();
        string prefix = Root.NewPrefix();
        LabNetwork.Up(_pair, prefix);
        Tool.Run("ip", ["netns", "del", $"{prefix}-a"]);

        IReadOnlyList<string> removed = LabNetwork.Down(prefix);

        Assert.Equal($"{prefix}-b", Assert.Single(removed));
    }

    [Fact]
    public void A_foreign_namespace_of_the_same_name_is_refused_and_left_alone()
    {
        Root.Required();
        string prefix = Root.NewPrefix();
        string foreign = $"{prefix}-b";
        Tool.Run("ip", ["netns", "add", foreign]);
        try
        {
            LabException exception = Assert.Throws<LabException>(() => LabNetwork.Up(_pair, prefix));

            Assert.Contains($"'{foreign}' exists and is not of this lab", exception.Message, StringComparison.Ordinal);
            Assert.True(NetworkNamespace.Exists(foreign));
            Assert.False(NetworkNamespace.Exists($"{prefix}-a"));
        }
        finally
        {
            Tool.Run("ip", ["netns", "del", foreign]);
        }
    }

    [Fact]
    public void A_namespace_that_somebody_made_anew_under_our_name_is_left_alone()
    {
        Root.Required();
        string prefix = Root.NewPrefix();
        string taken = $"{prefix}-a";
        LabNetwork.Up(_pair, prefix);
        Tool.Run("ip", ["netns", "del", taken]);
        Tool.Run("ip", ["netns", "add", taken]);
        try
        {
            IReadOnlyList<string> removed = LabNetwork.Down(prefix);

            Assert.Equal($"{prefix}-b", Assert.Single(removed));
            Assert.True(NetworkNamespace.Exists(taken));
        }
        finally
        {
            Tool.Run("ip", ["netns", "del", taken]);
        }
    }

    [Fact]
    public void A_command_that_fails_takes_the_whole_lab_down()
    {
        Root.Required();
        string prefix = Root.NewPrefix();
        Topology broken = _pair with { Hosts = [_pair.Hosts[0], new Host { Name = "b", Commands = ["echo no such rule >&2; exit 3"] }] };

        LabException exception = Assert.Throws<LabException>(() => LabNetwork.Up(broken, prefix));

        Assert.Contains("failed with exit code 3: no such rule", exception.Message, StringComparison.Ordinal);
        Assert.False(NetworkNamespace.Exists($"{prefix}-a"));
        Assert.DoesNotContain(prefix, LabNetwork.Prefixes(), StringComparer.Ordinal);
    }

    [Fact]
    public void Code_run_inside_a_namespace_sees_only_its_devices()
    {
        Root.Required();
        using var lab = LabNetwork.Up(_pair, Root.NewPrefix());

        string[] devices = NetworkNamespace.Run(lab.NamespaceOf("b"), Devices);

        Assert.Equal("eth0 lo", string.Join(' ', devices.Where(name => name is "eth0" or "lo").Order(StringComparer.Ordinal)));
        Assert.Throws<LabException>(() => NetworkNamespace.Run("no-such-namespace", Devices));
    }

    [Fact]
    public void A_lab_that_is_not_up_says_so()
    {
        Root.Required();
        string prefix = Root.NewPrefix();

        LabException exception = Assert.Throws<LabException>(() => LabNetwork.Find(prefix));

        Assert.Contains($"the lab '{prefix}' is not up", exception.Message, StringComparison.Ordinal);
    }

    private static int Ttl() => int.Parse(File.ReadAllText("/proc/sys/net/ipv4/ip_default_ttl"));

    // New with each lab: its id is the last word.
    private static string LoopbackAlias() => Tool.Run("ip", ["link", "show", "lo"]).Output.Trim().Split(' ')[^1];

    private static string[] Devices() =>
        [.. File.ReadLines("/proc/thread-self/net/dev").Where(line => line.Contains(':', StringComparison.Ordinal)).Select(line => line.Split(':')[0].Trim())];
}
