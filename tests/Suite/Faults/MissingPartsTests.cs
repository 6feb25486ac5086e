using NftCluster.Node.Kernel;
using NftCluster.Node.Kernel.Symbols;
using NftCluster.Tests.Lab;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Faults;

/// <summary>A machine that lacks something, or a user who lacks the right: made with a mount namespace of the test's own.</summary>
public sealed class MissingPartsTests
{
    private const int Nobody = 65534;

    /// <summary>Every real file of a library is covered by an empty one, which no loader takes.</summary>
    private const string Hide = "for f in $(find /usr/lib /lib /usr/local/lib -name \"$1.so*\" -type f 2>/dev/null); do mount --bind /dev/null \"$f\" || exit 77; done";

    [Theory]
    [InlineData("trace")]
    [InlineData("probes")]
    [InlineData("lab up")]
    [InlineData("rules list")]
    public async Task Who_is_not_root_is_told_so(string command)
    {
        Root.Required();
        using var program = RunningProgram.StartOther(
            "setpriv", [$"--reuid={Nobody}", $"--regid={Nobody}", "--clear-groups", RunningProgram.Executable, .. command.Split(' ')]);

        await program.ExitAsync();

        Assert.SkipWhen(program.Errors.Any(line => line.Contains("failed to execute", StringComparison.Ordinal)), "the build lies where only root may read");
        await BadInputTests.AssertRefusedAsync(program, "root: run it with sudo");
    }

    [Theory]
    [InlineData("trace")]
    [InlineData("probes")]
    public async Task A_kernel_without_BTF_is_refused(string command)
    {
        Root.Required();
        using TempDirectory empty = new();
        using RunningProgram program = InItsOwnMounts($"mount --bind '{empty.Path}' /sys/kernel/btf || exit 77", "", command);

        await BadInputTests.AssertRefusedAsync(program, "/sys/kernel/btf/vmlinux is missing: the kernel must be built with CONFIG_DEBUG_INFO_BTF=y");
    }

    [Theory]
    [InlineData("libbpf", "trace", "apt-get install libbpf1")]
    [InlineData("libbpf", "probes", "apt-get install libbpf1")]
    [InlineData("libpcap", "trace icmp", "apt-get install libpcap0.8")]
    [InlineData("libnftables", "rules list", "apt-get install libnftables1")]
    public async Task A_missing_library_is_named_with_its_package(string library, string command, string expected)
    {
        Root.Required();
        using RunningProgram program = InItsOwnMounts(Hide, library, command);

        await BadInputTests.AssertRefusedAsync(program, expected);
    }

    [Fact]
    public async Task A_backend_that_this_kernel_lacks_cannot_be_forced()
    {
        Root.Required();
        const string AnyFunction = "ip_rcv";
        using var types = KernelTypes.Load();
        var can = KernelCapabilities.Probe(AnyFunction, types.IdOfFunction(AnyFunction));
        Backend? lacking = Enum.GetValues<Backend>().Cast<Backend?>().FirstOrDefault(b => can.WhyNot(b!.Value) is not null);
        Assert.SkipWhen(lacking is null, "this kernel allows every backend");
        string name = Backends.NameOf(lacking!.Value);
        using TempDirectory directory = new();

        using RunningProgram trace = await RunningProgram.FinishedAsync("trace", "--backend", name, "--export", directory.Path);

        await BadInputTests.AssertRefusedAsync(trace, $"--backend {name}: {can.WhyNot(lacking.Value)}");
        Assert.Empty(directory.Names);
    }

    private static RunningProgram InItsOwnMounts(string prepare, string argument, string command) => RunningProgram.StartOther(
        "unshare", "-m", "sh", "-c", $"set -- '{argument}'; {prepare}; exec '{RunningProgram.Executable}' {command}");
}
