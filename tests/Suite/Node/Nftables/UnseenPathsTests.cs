using NftCluster.Lab;
using NftCluster.Node.Nftables;
using NftCluster.Tests.Lab;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Node.Nftables;

/// <summary>Where packets pass by every chain, absence is no loss: each such way is told in a line.</summary>
public sealed class UnseenPathsTests
{
    private static readonly RulesetTable _table = new(NftFamily.Inet, "filter", 1, 0, 0, null);

    [Fact]
    public void Nothing_special_is_nothing_to_tell() => Assert.Empty(UnseenPaths.Of(new Ruleset(1, [_table], []), DevicePrograms.None));

    [Fact]
    public void A_flow_table_is_told_with_its_devices()
    {
        Ruleset ruleset = new(1, [_table], [], [new RulesetFlowtable(NftFamily.Inet, "filter", "fast", ["eth0", "eth1"], IsOffloaded: false)]);

        Assert.Equal(["connections in flow table inet filter fast on eth0, eth1"], UnseenPaths.Of(ruleset, DevicePrograms.None));
    }

    [Fact]
    public void Hardware_that_forwards_or_judges_is_told()
    {
        RulesetChain chain = new(_table, "early", 1, new ChainHook("filter", "ingress", 0, "accept", ["eth0"]), null, []) { IsOffloaded = true };
        Ruleset ruleset = new(1, [_table], [chain], [new RulesetFlowtable(NftFamily.Inet, "filter", "fast", ["eth0"], IsOffloaded: true)]);

        Assert.Equal(
            ["connections in flow table inet filter fast on eth0, forwarded by hardware", "packets that a device judges itself: offloaded chain inet filter early on eth0"],
            UnseenPaths.Of(ruleset, DevicePrograms.None));
    }

    [Fact]
    public void An_XDP_program_is_told_with_its_device() =>
        Assert.Equal(["what an XDP program takes, drops or sends on at eth0"], UnseenPaths.Of(null, new DevicePrograms(["eth0"], [], [])));

    [Fact]
    public void What_hangs_at_a_devices_ingress_is_read_from_the_kernel()
    {
        Root.Required();
        using NftNetwork network = new();
        Assert.Equal(DevicePrograms.None.MayRewrite, DevicePrograms.Read(network.Path).MayRewrite);
        ToolResult made = Tool.Run("tc", ["-n", network.Name, "qdisc", "add", "dev", "lo", "clsact"]);
        Assert.SkipUnless(made.ExitCode == 0, $"this kernel has no clsact: {made.Errors.Trim()}");

        var programs = DevicePrograms.Read(network.Path);

        Assert.Equal(["lo"], programs.Ingress);
        Assert.True(programs.MayRewrite);
    }

    [Fact]
    public void Of_a_namespace_that_has_gone_nothing_is_known() => Assert.Null(DevicePrograms.TryRead("/run/netns/none-of-this-name"));

    [Fact]
    public void A_generic_XDP_program_is_read_from_the_kernel()
    {
        Root.Required();
        using NftNetwork network = new();
        using TempDirectory directory = new();
        string source = directory.File("pass.c");
        File.WriteAllText(source, "__attribute__((section(\"xdp\"), used)) int pass(void *c) { return 2; }\nchar _license[] __attribute__((section(\"license\"), used)) = \"GPL\";\n");
        string program = directory.File("pass.o");
        Assert.SkipUnless(File.Exists("/usr/bin/clang"), "needs clang");
        Assert.Equal(0, Tool.Run("clang", ["-O2", "-g", "-target", "bpf", "-c", source, "-o", program]).ExitCode);
        ToolResult attached = Tool.Run("ip", ["-n", network.Name, "link", "set", "dev", "lo", "xdpgeneric", "obj", program, "sec", "xdp"]);
        Assert.SkipUnless(attached.ExitCode == 0, $"this kernel or ip attaches no XDP program: {attached.Errors.Trim()}");

        var programs = DevicePrograms.Read(network.Path);

        Assert.Equal(["lo"], programs.Xdp);
        Assert.Equal(["lo"], programs.GenericXdp);
        Assert.True(programs.MayRewrite);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(2, 2)]
    public void A_link_says_how_XDP_is_attached_to_it(byte attached, int mode)
    {
        // IFLA_IFNAME "d0", then IFLA_XDP { IFLA_XDP_ATTACHED } as the kernel dumps them.
        byte[] attributes = [7, 0, 3, 0, (byte)'d', (byte)'0', 0, 0, 12, 0, 43, 0, 5, 0, 2, 0, attached, 0, 0, 0];

        Assert.Equal(new DevicePrograms.Link("d0", mode), DevicePrograms.Link.Parse(attributes));
    }
}
