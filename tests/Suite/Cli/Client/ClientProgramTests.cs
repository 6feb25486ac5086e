using System.Text.RegularExpressions;
using NftCluster.Tests.Faults;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Cli.Client;

/// <summary>The command line as a user has it: a controller, a login, a session, and the way out.</summary>
public sealed partial class ClientProgramTests : IDisposable
{
    private readonly TempDirectory _directory = new();
    private RunningProgram? _controller;

    private string State => _directory.File("state");

    public void Dispose()
    {
        _controller?.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task From_the_first_password_to_a_session_and_its_export()
    {
        string url = await StartAsync();
        string fingerprint = Fingerprint().Match(string.Join('\n', _controller!.Errors)).Groups["print"].Value;
        File.WriteAllText(_directory.File("first"), First().Match(string.Join('\n', _controller.Errors)).Groups["password"].Value + "\n");
        File.WriteAllText(_directory.File("own"), "a-password-of-its-own\n");

        Assert.Contains("does not trust", await FailsAsync("login", url, "--password-file", _directory.File("first")), StringComparison.Ordinal);
        await RunsAsync("login", url, "--fingerprint", fingerprint, "--password-file", _directory.File("first"));
        Assert.Contains("password of your own", await FailsAsync("session", "ls"), StringComparison.Ordinal);
        await RunsAsync("password", "--old-file", _directory.File("first"), "--new-file", _directory.File("own"));
        Assert.Contains("admin", await RunsAsync("whoami"), StringComparison.Ordinal);

        Assert.Contains("web", await RunsAsync("session", "start", "--name", "web", "--duration", "10m", "host", "10.3.0.2", "and", "tcp"), StringComparison.Ordinal);
        Assert.Contains("host 10.3.0.2 and tcp", await RunsAsync("session", "ls"), StringComparison.Ordinal);
        Assert.Contains("udp", await RunsAsync("session", "filter", "web", "udp"), StringComparison.Ordinal);
        Assert.Contains("yes", await RunsAsync("session", "pause", "web"), StringComparison.Ordinal);
        Assert.Contains("there is no session 'mail'", await FailsAsync("session", "show", "mail"), StringComparison.Ordinal);
        Assert.Equal("", await RunsAsync("traces", "web"));
        await RunsAsync("session", "export", "web", "--file", _directory.File("web.json"));
        Assert.Empty(ExportSchema.Validate(_directory.File("web.json")));
        await RunsAsync("show", _directory.File("web.json"), "--summary");

        await RunsAsync("users", "add", "ana", "--role", "operator", "--password-file", _directory.File("own"));
        Assert.Contains("ana", await RunsAsync("users", "ls"), StringComparison.Ordinal);
        await RunsAsync("session", "stop", "web");
        await RunsAsync("logout");
        Assert.Contains("nftcluster login", await FailsAsync("session", "ls"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_forgotten_password_is_replaced_on_the_controller_s_host()
    {
        string url = await StartAsync();
        string fingerprint = Fingerprint().Match(string.Join('\n', _controller!.Errors)).Groups["print"].Value;
        RunningProgram reset = await ProgramAsync("controller", "reset-admin", "--state-dir", State);
        File.WriteAllText(_directory.File("new"), First().Match(string.Join('\n', reset.Errors)).Groups["password"].Value);

        await RunsAsync("login", url, "--fingerprint", fingerprint, "--password-file", _directory.File("new"));
        Assert.Contains("no controller's database", await FailsAsync("controller", "reset-admin", "--state-dir", _directory.File("elsewhere")), StringComparison.Ordinal);
        await RunsAsync("controller", "backup", _directory.File("backup.db"), "--state-dir", State);
        Assert.NotEmpty(await FailsAsync("controller", "restore", _directory.File("backup.db"), "--state-dir", State));
    }

    private async Task<string> StartAsync()
    {
        _controller = RunningProgram.Start("controller", "--state-dir", State, "--address", "127.0.0.1", "--web-port", "0", "--node-port", "0");
        await _controller.SaysAsync("log in: nftcluster login");
        return Url().Match(string.Join('\n', _controller.Errors)).Value;
    }

    private async Task<string> RunsAsync(params string[] arguments)
    {
        RunningProgram program = await ProgramAsync(arguments);
        Assert.True(await program.ExitAsync() == 0, program.Describe());
        return string.Join('\n', program.Output);
    }

    private async Task<string> FailsAsync(params string[] arguments)
    {
        RunningProgram program = await ProgramAsync(arguments);
        Assert.True(await program.ExitAsync() == 1, program.Describe());
        return Assert.Single(program.Errors);
    }

    private async Task<RunningProgram> ProgramAsync(params string[] arguments)
    {
        var program = RunningProgram.StartOther("env", [$"NFTCLUSTER_CLIENT_DIR={_directory.File("client")}", RunningProgram.Executable, .. arguments]);
        await program.ExitAsync();
        return program;
    }

    [GeneratedRegex("https://127[.]0[.]0[.]1:[0-9]+", RegexOptions.ExplicitCapture, 5000)]
    private static partial Regex Url();

    [GeneratedRegex("--fingerprint (?<print>[0-9a-f]{64})", RegexOptions.ExplicitCapture, 5000)]
    private static partial Regex Fingerprint();

    [GeneratedRegex("password (?<password>[A-Za-z0-9]{20})", RegexOptions.ExplicitCapture, 5000)]
    private static partial Regex First();
}
