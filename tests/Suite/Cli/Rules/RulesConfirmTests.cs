using NftCluster.Tests.Faults;
using NftCluster.Tests.Lab;
using NftCluster.Tests.Node.Export;
using NftCluster.Tests.Node.Nftables;

namespace NftCluster.Tests.Cli.Rules;

/// <summary>Nobody locks himself out: a change that is not confirmed goes, whatever became of who made it.</summary>
public sealed class RulesConfirmTests : IDisposable
{
    private const string Open = "add table inet filter; add chain inet filter input { type filter hook input priority 0; policy accept; }; add rule inet filter input accept";

    private readonly TempDirectory _state = new();
    private readonly NftNetwork _network;

    public RulesConfirmTests()
    {
        Root.Required();
        _network = new NftNetwork();
        _network.Nft(Open);
    }

    [Fact]
    public async Task A_change_that_is_not_confirmed_is_undone()
    {
        string before = _network.List();
        using RunningProgram change = await LockOutAsync("1s");
        Assert.True(await change.ExitAsync() == 0, change.Describe());

        await Eventually.HoldsAsync(() => _network.List() == before, () => _network.List());
        await Eventually.HoldsAsync(() => Log().Contains("\"action\":\"auto-undo\"", StringComparison.Ordinal), Log);

        Assert.Equal(1, await (await RulesAsync("confirm")).ExitAsync());
    }

    [Fact]
    public async Task A_confirmed_change_stays()
    {
        using RunningProgram change = await LockOutAsync("1h");
        string changed = _network.List();
        Assert.Contains("drop", changed, StringComparison.Ordinal);

        using RunningProgram confirm = await RulesAsync("confirm");
        Assert.True(await confirm.ExitAsync() == 0, confirm.Describe());

        Assert.Contains("stays", Assert.Single(confirm.Errors), StringComparison.Ordinal);
        Assert.Equal(changed, _network.List());
        await GuardIsGoneAsync();
        Assert.Equal(0, await (await RulesAsync("undo")).ExitAsync());
    }

    [Fact]
    public async Task Undo_does_not_wait_for_the_time()
    {
        string before = _network.List();
        using RunningProgram change = await LockOutAsync("1h");

        Assert.Equal(0, await (await RulesAsync("undo")).ExitAsync());

        Assert.Equal(before, _network.List());
        await GuardIsGoneAsync();
    }

    [Fact]
    public async Task While_one_change_waits_no_other_is_made()
    {
        using RunningProgram change = await LockOutAsync("1h");

        using RunningProgram second = await LockOutAsync("1h");

        Assert.Equal(1, await second.ExitAsync());
        Assert.Contains("rules confirm", Assert.Single(second.Errors), StringComparison.Ordinal);
        Assert.Equal(0, await (await RulesAsync("undo")).ExitAsync());
        await GuardIsGoneAsync();
    }

    /// <summary>As a terminal that hangs up: the shell is killed with everything in its session.</summary>
    [Fact]
    public async Task The_guard_outlives_the_killed_session_of_who_changed()
    {
        string before = _network.List();
        string command = $"'{RunningProgram.Executable}' rules insert inet filter input drop --allow-changes --confirm 3s --netns {_network.Name} --state '{_state.Path}'; exec sleep 300";
        using var shell = RunningProgram.StartOther("setsid", "sh", "-c", command);
        await Eventually.HoldsAsync(() => _network.List() != before, shell.Describe);

        using var hangUp = RunningProgram.StartOther("sh", "-c", $"kill -HUP -{shell.Id}; kill -KILL -{shell.Id}");
        Assert.Equal(0, await hangUp.ExitAsync());
        await shell.ExitAsync();

        await Eventually.HoldsAsync(() => _network.List() == before, () => _network.List());
    }

    [Fact]
    public async Task A_guard_that_is_told_to_end_undoes_first()
    {
        string before = _network.List();
        using RunningProgram change = await LockOutAsync("1h");

        using var end = RunningProgram.StartOther("kill", "-TERM", GuardPid());
        Assert.Equal(0, await end.ExitAsync());

        await Eventually.HoldsAsync(() => _network.List() == before, () => _network.List());
        await GuardIsGoneAsync();
    }

    [Fact]
    public async Task A_change_that_is_refused_leaves_no_guard()
    {
        using RunningProgram change = await RulesAsync("add", "inet", "filter", "input", "nonsense", "--allow-changes", "--confirm", "1h");

        Assert.Equal(1, await change.ExitAsync());
        Assert.Empty(Pending());
    }

    public void Dispose()
    {
        _network.Dispose();
        _state.Dispose();
    }

    private string[] Pending() => Directory.GetFiles(_state.Path, "pending-*");

    private string GuardPid() => System.Text.Json.JsonDocument.Parse(File.ReadAllText(Assert.Single(Pending()))).RootElement.GetProperty("guard_pid").GetInt32().ToString();

    private string Log() => File.Exists(_state.File("log.jsonl")) ? File.ReadAllText(_state.File("log.jsonl")) : "";

    private Task GuardIsGoneAsync()
    {
        string id = Path.GetFileNameWithoutExtension(Directory.GetFiles(_state.File("changes"))[0]);
        return Eventually.HoldsAsync(() => !Directory.GetDirectories("/proc").Any(process => CommandLineOf(process).Contains($"--id\0{id}", StringComparison.Ordinal)), () => "the guard is still there");
    }

    private static string CommandLineOf(string process)
    {
        try
        {
            return File.ReadAllText($"{process}/cmdline");
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private Task<RunningProgram> LockOutAsync(string confirm) => RulesAsync("insert", "inet", "filter", "input", "drop", "--allow-changes", "--confirm", confirm);

    private Task<RunningProgram> RulesAsync(params string[] arguments) => RunningProgram.FinishedAsync(["rules", .. arguments, "--netns", _network.Name, "--state", _state.Path]);
}
