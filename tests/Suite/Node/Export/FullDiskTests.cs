using System.Diagnostics;
using NftCluster.Node.Export;

namespace NftCluster.Tests.Node.Export;

public sealed class FullDiskTests
{
    [Fact]
    public void A_full_disk_ends_the_export_in_one_line_and_leaves_nothing_behind()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "mounting a small tmpfs needs root");
        using var directory = new TempDirectory();
        Assert.SkipUnless(Run("mount", "-t", "tmpfs", "-o", "size=3m", "nftcluster-test", directory.Path), "this machine lets nobody mount a tmpfs");
        try
        {
            using var writer = ExportWriter.Create(directory.Path, Samples.Session());

            ExportException full = Assert.Throws<ExportException>(() => AppendUntilRefused(writer));

            Assert.Equal($"cannot write the export in {directory.Path}: No space left on device; free some space there or choose another directory", full.Message);
            Assert.Empty(directory.Names);
            Assert.Throws<ObjectDisposedException>(() => writer.Append(Samples.Forwarded()));
        }
        finally
        {
            Assert.True(Run("umount", directory.Path), "the tmpfs could not be unmounted");
        }
    }

    private static void AppendUntilRefused(ExportWriter writer)
    {
        for (int i = 0; i < 10_000; i++)
        {
            writer.Append(Samples.Forwarded());
        }
    }

    private static bool Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardError = true })!;
        return process.WaitForExit(TimeSpan.FromSeconds(20)) && process.ExitCode == 0;
    }
}
