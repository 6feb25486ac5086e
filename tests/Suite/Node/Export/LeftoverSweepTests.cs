using System.Diagnostics;
using NftCluster.Node.Export;

namespace NftCluster.Tests.Node.Export;

public sealed class LeftoverSweepTests : IDisposable
{
    /// <summary>Above the kernel's largest pid: never alive.</summary>
    private const string Dead = ".trace_full_s1_20250131_140305.4194305-1.partial";

    private readonly TempDirectory _directory = new();

    [Fact]
    public void A_partial_file_whose_writer_is_gone_is_removed_when_the_next_export_begins()
    {
        File.WriteAllText(_directory.File(Dead), "half");

        using var writer = ExportWriter.Create(_directory.Path, Samples.Session());

        Assert.DoesNotContain(_directory.Names, name => name == Dead);
    }

    [Fact]
    public void A_killed_process_that_nobody_has_collected_yet_counts_as_gone()
    {
        // A shell that stops reading its children: it is replaced by sleep, which never waits for the child that ended.
        using Process parent = Process.Start(new ProcessStartInfo("sh", ["-c", "sh -c 'echo $$; exec sleep 20' & exec sleep 20"])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
        })!;
        try
        {
            int child = int.Parse(parent.StandardOutput.ReadLine()!);
            Process.GetProcessById(child).Kill();
            Assert.True(SpinWait.SpinUntil(() => File.ReadAllText($"/proc/{child}/stat").Contains(") Z ", StringComparison.Ordinal), TimeSpan.FromSeconds(10)));
            File.WriteAllText(_directory.File($".trace_full_s1_20250131_140305.{child}-1.partial"), "half");

            Assert.Single(LeftoverSweep.Run(_directory.Path));
        }
        finally
        {
            parent.Kill();
            parent.WaitForExit();
        }
    }

    [Fact]
    public void A_partial_file_of_a_living_process_stays()
    {
        string mine = $".trace_full_s1_20250131_140305.{Environment.ProcessId}-99.partial";
        File.WriteAllText(_directory.File(mine), "half");

        Assert.Empty(LeftoverSweep.Run(_directory.Path));
        Assert.Equal([mine], _directory.Names);
    }

    [Fact]
    public void A_partial_file_that_somebody_holds_locked_stays_though_its_pid_is_not_seen_here()
    {
        using var held = new FileStream(_directory.File(Dead), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);

        Assert.Empty(LeftoverSweep.Run(_directory.Path));
    }

    [Theory]
    [InlineData("trace_full_s1_20250131_140305.json")]
    [InlineData(".trace_full.partial")]
    [InlineData(".trace_full.x-1.partial")]
    [InlineData(".other.4194305-1.partial")]
    public void Other_files_are_never_touched(string name)
    {
        File.WriteAllText(_directory.File(name), "");

        Assert.Empty(LeftoverSweep.Run(_directory.Path));
        Assert.Equal([name], _directory.Names);
    }

    [Fact]
    public void A_directory_that_is_missing_has_nothing_to_sweep() => Assert.Empty(LeftoverSweep.Run(_directory.File("none")));

    public void Dispose() => _directory.Dispose();
}
