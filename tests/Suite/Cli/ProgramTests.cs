using System.Diagnostics;

namespace NftCluster.Tests.Cli;

/// <summary>The program itself: exit codes, and one line on standard error for whatever a user can put right.</summary>
public sealed class ProgramTests
{
    [Fact]
    public async Task The_version_is_told()
    {
        (int exitCode, string output, string error) = await RunAsync("--version");

        Assert.Equal((0, ""), (exitCode, error));
        Assert.Matches("^[0-9]+\\.[0-9]+", output);
    }

    [Theory]
    [InlineData(2, "trcae")]
    [InlineData(1, "trace", "--no-such-option")]
    [InlineData(2, "show")]
    [InlineData(1, "show", "/none/such.json")]
    [InlineData(1, "trace", "--mode", "fast")]
    [InlineData(1, "trace", "--netns", "no-such-namespace")]
    [InlineData(1, "trace", "host", "and")]
    [InlineData(1, "trace", "--mark", "zero")]
    [InlineData(1, "trace", "--dev", "no-such-device")]
    public async Task What_cannot_be_done_is_one_line_and_an_exit_code(int expected, params string[] arguments)
    {
        (int exitCode, string output, string error) = await RunAsync(arguments);

        Assert.Equal((expected, ""), (exitCode, output));
        Assert.StartsWith("nftcluster: ", Assert.Single(error.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tracing_without_root_says_so()
    {
        Assert.SkipWhen(Environment.IsPrivilegedProcess, "runs as root");

        Assert.Equal((1, "nftcluster: tracing the kernel needs root: run it with sudo\n"), (await RunAsync("trace", "--duration", "1s")) switch { var (code, _, error) => (code, error) });
    }

    private static async Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] arguments)
    {
        ProcessStartInfo start = new(Environment.ProcessPath is { } host && Path.GetFileName(host) == "dotnet" ? host : "dotnet", [Path.Combine(AppContext.BaseDirectory, "nftcluster.dll"), .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(60));
        await process.WaitForExitAsync(patience.Token);
        return (process.ExitCode, await output, await error);
    }
}
