using System.Text.Json;
using NftCluster.Lab;
using NftCluster.Tests.Faults;
using NftCluster.Tests.Lab;
using NftCluster.Tests.Node.Export;
using NftCluster.Tests.Node.Nftables;

namespace NftCluster.Tests.Cli.Rules;

/// <summary>The program on a ruleset of the test's own namespace, as a user runs it.</summary>
public sealed class RulesCommandTests : IDisposable
{
    private const string Filter = """
        table inet filter {
            set learned {
                type ipv4_addr
                flags dynamic,timeout
                timeout 1h
            }
            chain input {
                type filter hook input priority 0; policy accept;
                tcp dport 22 counter packets 5 bytes 7 accept
                udp dport 53 drop
            }
        }
        table ip other {
            chain c {
                accept
            }
        }

        """;

    private readonly TempDirectory _state = new();
    private readonly NftNetwork _network;

    public RulesCommandTests()
    {
        Root.Required();
        _network = new NftNetwork();
        _network.Nft(Filter);
    }

    [Fact]
    public async Task The_list_shows_handles_hooks_and_texts()
    {
        string[] lines = await OutputAsync("list", "--table", "filter");

        Assert.Equal(
            ["table inet filter", "  chain input  type filter hook input priority 0 policy accept", "      3  tcp dport 22 counter packets 5 bytes 7 accept", "      4  udp dport 53 drop"],
            lines);
    }

    [Fact]
    public async Task JSON_has_everything()
    {
        var ruleset = JsonDocument.Parse(string.Concat(await OutputAsync("list", "-o", "json")));

        JsonElement rule = ruleset.RootElement.GetProperty("tables")[0].GetProperty("chains")[0].GetProperty("rules")[1];
        Assert.Equal(("udp dport 53 drop", 4), (rule.GetProperty("text").GetString(), rule.GetProperty("handle").GetInt32()));
    }

    [Fact]
    public async Task A_handle_that_two_rules_have_is_listed_and_asked_about()
    {
        _network.Nft("add rule ip other c drop; add rule ip other c return");

        using RunningProgram show = await RulesAsync("show", "3");

        Assert.Equal((1, 2), (await show.ExitAsync(), show.Output.Count));
        Assert.Contains("--family", Assert.Single(show.Errors), StringComparison.Ordinal);
        Assert.Contains(await OutputAsync("show", "4", "--table", "other"), line => line == "  rule     return");
    }

    [Theory]
    [InlineData("show", "99")]
    [InlineData("show", "x")]
    [InlineData("list", "--table", "nope")]
    [InlineData("list", "--family", "ipx")]
    [InlineData("add", "inet", "filter", "input", "accept")]
    [InlineData("add", "inet", "filter", "nope", "accept", "--allow-changes")]
    [InlineData("add", "inet", "filter", "input", "accept; flush ruleset", "--allow-changes")]
    [InlineData("add", "inet", "filter", "input", "tcp dport nonsense accept", "--allow-changes")]
    [InlineData("delete", "99", "--allow-changes")]
    [InlineData("apply", "/none/such.nft", "--allow-changes")]
    [InlineData("undo")]
    [InlineData("confirm")]
    public async Task What_cannot_be_done_is_one_line_and_changes_nothing(params string[] arguments)
    {
        string before = _network.List();

        using RunningProgram refused = await RulesAsync([.. arguments, .. StateOf(arguments[0])]);

        Assert.Equal(1, await refused.ExitAsync());
        Assert.StartsWith("nftcluster: ", Assert.Single(refused.Errors), StringComparison.Ordinal);
        Assert.Equal(before, _network.List());
        Assert.DoesNotContain(_state.Names, name => name is not ("changes" or "lock"));
    }

    [Fact]
    public async Task A_broken_file_changes_nothing_and_its_line_is_named()
    {
        string before = _network.List();
        string file = WriteFile("add table ip new\nadd chain ip new c\nadd rule ip new c tcp dport x accept\n");

        using RunningProgram apply = await ChangeAsync("apply", file);

        Assert.Equal(1, await apply.ExitAsync());
        Assert.Contains($"{file}:3:", Assert.Single(apply.Errors), StringComparison.Ordinal);
        Assert.Equal(before, _network.List());
    }

    [Theory]
    [InlineData("add", "inet", "filter", "input", "tcp dport 80 accept")]
    [InlineData("insert", "inet", "filter", "input", "ip saddr @learned drop")]
    [InlineData("insert", "inet", "filter", "input", "tcp dport 80 accept", "--before", "4")]
    [InlineData("add", "inet", "filter", "input", "tcp dport 80 accept", "--after", "3")]
    [InlineData("replace", "3", "tcp dport 2222 accept", "--table", "filter")]
    [InlineData("delete", "3", "--table", "filter")]
    [InlineData("delete", "4", "--table", "filter")]
    public async Task One_rules_change_is_undone_without_touching_anything_else(params string[] arguments)
    {
        string before = _network.List();

        using RunningProgram change = await ChangeAsync(arguments);
        Assert.True(await change.ExitAsync() == 0, change.Describe());
        Assert.False(before == _network.List(), "nothing was changed");
        _network.Nft("add element inet filter learned { 10.9.9.9 }; add rule ip other c drop");
        Assert.Equal(0, await (await UndoAsync()).ExitAsync());

        _network.Nft("delete element inet filter learned { 10.9.9.9 }; delete rule ip other c handle 3");
        Assert.Equal(before, _network.List());
    }

    [Fact]
    public async Task A_file_is_undone_with_counters_and_leaves_other_tables_alone()
    {
        string before = _network.List();
        string file = WriteFile("flush chain inet filter input\nadd rule inet filter input drop\nadd table ip6 new\n");

        using RunningProgram apply = await ChangeAsync("apply", file);
        Assert.True(await apply.ExitAsync() == 0, apply.Describe());
        _network.Nft("add rule ip other c drop");
        using RunningProgram undo = await UndoAsync();

        Assert.True(await undo.ExitAsync() == 0, undo.Describe());
        _network.Nft("delete rule ip other c handle 3");
        // The order of tables is the order in which they were made.
        Assert.Equal(Sorted(before), Sorted(_network.List()));
    }

    [Fact]
    public async Task Elements_that_packets_add_are_nobodys_change()
    {
        using RunningProgram apply = await ChangeAsync("apply", WriteFile("add rule inet filter input tcp dport 1 drop\nadd rule inet filter input tcp dport 2 drop\n"));
        Assert.Equal(0, await apply.ExitAsync());
        _network.Nft("add element inet filter learned { 10.9.9.9 }");

        using RunningProgram undo = await UndoAsync();

        Assert.True(await undo.ExitAsync() == 0, undo.Describe());
    }

    [Fact]
    public async Task A_table_that_somebody_else_changed_since_is_not_overwritten_without_force()
    {
        string before = _network.List();
        using RunningProgram apply = await ChangeAsync("apply", WriteFile("add rule inet filter input tcp dport 1 drop\nadd rule inet filter input tcp dport 2 drop\n"));
        Assert.Equal(0, await apply.ExitAsync());
        _network.Nft("add rule inet filter input tcp dport 3 drop");

        using RunningProgram refused = await UndoAsync();
        Assert.Equal(1, await refused.ExitAsync());
        Assert.Contains("--force", Assert.Single(refused.Errors), StringComparison.Ordinal);
        using RunningProgram forced = await RulesAsync("undo", "--force", "--state", _state.Path);

        Assert.Equal(0, await forced.ExitAsync());
        Assert.Equal(Sorted(before), Sorted(_network.List()));
    }

    [Fact]
    public async Task The_log_tells_who_when_before_and_after()
    {
        using RunningProgram change = await ChangeAsync("replace", "4", "udp dport 54 drop", "--table", "filter");
        Assert.Equal(0, await change.ExitAsync());

        JsonElement entry = JsonDocument.Parse(Assert.Single(await OutputAsync("log", "-o", "json", "--state", _state.Path))).RootElement;

        Assert.Equal("replace", entry.GetProperty("action").GetString());
        Assert.Equal("inet filter input udp dport 53 drop # handle 4", entry.GetProperty("before")[0].GetString());
        Assert.StartsWith("inet filter input udp dport 54 drop", entry.GetProperty("after")[0].GetString(), StringComparison.Ordinal);
        Assert.Equal(0, entry.GetProperty("who").GetProperty("uid").GetInt32());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_state.File("log.jsonl")));
    }

    [Fact]
    public async Task A_state_directory_that_others_can_write_to_is_refused()
    {
        File.SetUnixFileMode(_state.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherWrite);

        using RunningProgram change = await ChangeAsync("delete", "4", "--table", "filter");

        Assert.Equal(1, await change.ExitAsync());
        Assert.Contains("chmod 700", Assert.Single(change.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_export_is_read_back_by_nft_and_replaces_only_its_tables()
    {
        string file = _state.File("export.nft");
        using RunningProgram export = await RulesAsync("export", file);
        Assert.True(await export.ExitAsync() == 0, export.Describe());
        string before = _network.List(NftCluster.Node.Nftables.NftOutput.Stateless);
        _network.Nft("flush table inet filter; add table ip6 kept");

        Assert.Equal(0, Tool.Run("ip", ["netns", "exec", _network.Name, "nft", "-f", file]).ExitCode);

        Assert.Equal(Sorted(before + "table ip6 kept {\n}\n"), Sorted(_network.List(NftCluster.Node.Nftables.NftOutput.Stateless)));
    }

    [Fact]
    public async Task A_table_with_an_owner_is_shown_and_politely_left_alone()
    {
        using var owner = RunningProgram.StartOther("ip", "netns", "exec", _network.Name, "sh", "-c", "(echo 'add table inet mine { flags owner; }'; echo 'add chain inet mine c'; exec sleep 60) | nft -i");
        await Eventually.HoldsAsync(() => _network.Read().Chains.Any(chain => chain.Table.Name == "mine"), owner.Describe);

        Assert.Contains(await OutputAsync("list", "--table", "mine"), line => line.Contains("owned by netlink port", StringComparison.Ordinal));
        using RunningProgram add = await ChangeAsync("add", "inet", "mine", "c", "accept");
        Assert.Equal(1, await add.ExitAsync());
        Assert.Contains("belongs to another program", Assert.Single(add.Errors), StringComparison.Ordinal);
        using RunningProgram apply = await ChangeAsync("apply", WriteFile("flush ruleset\nadd table ip fresh\n"));
        Assert.True(await apply.ExitAsync() == 0, apply.Describe());
        Assert.Equal(0, await (await UndoAsync()).ExitAsync());
        Assert.Contains("table inet mine {", _network.List(), StringComparison.Ordinal);
        Assert.Contains("udp dport 53 drop", _network.List(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Watching_tells_who_changed_what()
    {
        using var watch = RunningProgram.Start("rules", "watch", "--netns", _network.Name);
        await watch.SaysAsync("watching generation");

        Assert.Equal(0, Tool.Run("ip", ["netns", "exec", _network.Name, "nft", "add rule ip other c drop"]).ExitCode);
        await Eventually.HoldsAsync(() => watch.Output.Any(line => line.Contains("+ ip other c drop", StringComparison.Ordinal)), watch.Describe);
        watch.Signal(RunningProgram.Interrupt);

        Assert.Equal(0, await watch.ExitAsync());
        Assert.Contains(watch.Output, line => line.Contains(" by nft (pid ", StringComparison.Ordinal));
    }

    public void Dispose()
    {
        _network.Dispose();
        _state.Dispose();
    }

    private static string Sorted(string listing) => string.Join("\n}\n", listing.Split("\n}\n").Order(StringComparer.Ordinal)).Trim();

    private string[] StateOf(string command) => command is "show" or "list" ? [] : ["--state", _state.Path];

    private string WriteFile(string content)
    {
        string path = _state.File($"{Guid.NewGuid():N}.nft");
        File.WriteAllText(path, content);
        return path;
    }

    private Task<RunningProgram> RulesAsync(params string[] arguments) =>
        RunningProgram.FinishedAsync(["rules", .. arguments, .. arguments[0] == "log" ? [] : (string[])["--netns", _network.Name]]);

    private Task<RunningProgram> ChangeAsync(params string[] arguments) => RulesAsync([.. arguments, "--allow-changes", "--state", _state.Path]);

    private Task<RunningProgram> UndoAsync() => RulesAsync("undo", "--state", _state.Path);

    private async Task<string[]> OutputAsync(params string[] arguments)
    {
        using RunningProgram program = await RulesAsync(arguments);
        Assert.True(await program.ExitAsync() == 0, program.Describe());
        return [.. program.Output];
    }
}
