using NftCluster.Lab;
using NftCluster.Tests.Lab;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Faults;

public sealed class FullOutputTests
{
    [Fact]
    public async Task A_full_disk_fails_the_session_which_says_so_and_leaves_no_file()
    {
        Root.Required();
        using QuietNetwork network = new();
        using TempDirectory directory = new();
        string disk = directory.File("disk");
        string ready = directory.File("ready");
        Directory.CreateDirectory(disk);
        Assert.SkipUnless(Tool.Run("mount", ["-t", "tmpfs", "-o", "size=512k", "nftcluster-test", disk]).ExitCode == 0, "this machine lets nobody mount a tmpfs");
        try
        {
            using var trace = RunningProgram.Start("trace", "--netns", network.Name, "--export", disk, "--summary", "--ready-file", ready);
            await Eventually.HoldsAsync(() => trace.HasExited || File.Exists(ready), trace.Describe);

            network.Flood(20_000);

            // By itself: there is nothing left to wait for.
            Assert.True(await trace.ExitAsync() == 1, trace.Describe());
            Assert.Single(trace.Errors, line => line.Contains("the session failed: cannot write the export in", StringComparison.Ordinal) && line.Contains("No space left on device; free some space", StringComparison.Ordinal));
            Assert.Empty(Directory.GetFileSystemEntries(disk));
        }
        finally
        {
            Assert.Equal(0, Tool.Run("umount", [disk]).ExitCode);
        }
    }

    [Theory]
    [InlineData("--json")]
    [InlineData("")]
    [InlineData("--summary")]
    public async Task Standard_output_that_takes_nothing_is_said_in_one_line_and_the_export_is_whole(string option)
    {
        Root.Required();
        using QuietNetwork network = new();
        using TempDirectory directory = new();
        string ready = directory.File("ready");
        using var trace = RunningProgram.StartOther(
            "bash", "-c", $"exec '{RunningProgram.Executable}' trace --netns {network.Name} --export {directory.Path} --ready-file {ready} --duration 3s {option} udp >/dev/full");
        await Eventually.HoldsAsync(() => trace.HasExited || File.Exists(ready), trace.Describe);

        network.SendToPorts(20_001, 100);

        Assert.True(await trace.ExitAsync() == 1, trace.Describe());
        Assert.Single(trace.Errors, line => line == "nftcluster: cannot write to standard output: No space left on device; send it elsewhere");
        Exports.Read(Assert.Single(Exports.In(directory.Path)));
    }
}
