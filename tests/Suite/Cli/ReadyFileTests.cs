using NftCluster.Cli;
using NftCluster.Lab;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Cli;

public sealed class ReadyFileTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    private string Path => _directory.File("ready");

    [Fact]
    public void It_is_there_from_write_to_the_end_and_tells_the_process()
    {
        using (var ready = ReadyFile.Claim(Path))
        {
            Assert.Empty(_directory.Names);
            ready.Write();
            Assert.Equal($"{Environment.ProcessId}\n", File.ReadAllText(Path));
            Assert.Equal(["ready"], _directory.Names);
        }

        Assert.Empty(_directory.Names);
    }

    [Fact]
    public void That_of_an_earlier_run_is_taken_away_before_anything_is_attached()
    {
        File.WriteAllText(Path, "4194305\n");

        using var ready = ReadyFile.Claim(Path);

        Assert.Empty(_directory.Names);
    }

    [Fact]
    public void That_of_another_run_stays_at_the_end()
    {
        using (var ready = ReadyFile.Claim(Path))
        {
            ready.Write();
            File.WriteAllText(Path, "4194305\n");
        }

        Assert.Equal("4194305\n", File.ReadAllText(Path));
    }

    [Fact]
    public void What_is_no_file_is_refused_and_stays()
    {
        Assert.Equal(0, Tool.Run("mkfifo", [Path]).ExitCode);

        UsageException refused = Assert.Throws<UsageException>(() => ReadyFile.Claim(Path));

        Assert.Equal($"--ready-file {Path} cannot be written: it is no ordinary file", refused.Message);
        Assert.Equal(["ready"], _directory.Names);
    }

    [Fact]
    public void A_directory_that_is_missing_is_named_in_one_line() =>
        Assert.StartsWith("--ready-file /proc/nosuch/ready cannot be written: ", Assert.Throws<UsageException>(() => ReadyFile.Claim("/proc/nosuch/ready")).Message, StringComparison.Ordinal);

    public void Dispose() => _directory.Dispose();
}
