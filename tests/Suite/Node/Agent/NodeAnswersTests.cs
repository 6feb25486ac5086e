using System.Text.Json;
using NftCluster.Lab;
using NftCluster.Messages.Link;
using NftCluster.Node.Agent;
using NftCluster.Node.Nftables;
using NftCluster.Node.Spool;
using NftCluster.Node.Uplink;
using NftCluster.Tests.Faults;
using NftCluster.Tests.Lab;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Node.Agent;

/// <summary>What the controller may ask about the ruleset, on real rulesets in a namespace of the test's own.</summary>
public sealed class NodeAnswersTests : IDisposable
{
    private const string Filter = "table inet filter { chain input { type filter hook input priority 0; tcp dport 22 accept; }; }";

    private readonly TempDirectory _directory = new();
    private readonly QuietNetwork? _network = Environment.IsPrivilegedProcess ? new QuietNetwork() : null;

    public void Dispose()
    {
        _network?.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task The_ruleset_in_force_is_told_with_handles()
    {
        Root.Required();
        Nft(Filter);

        JsonElement ruleset = Json(await AskAsync(new Request { Id = 7, Ruleset = new RulesetRequest() }));

        Assert.Equal("tcp dport 22 accept", ruleset.GetProperty("tables")[0].GetProperty("chains")[0].GetProperty("rules")[0].GetProperty("text").GetString());
    }

    [Fact]
    public async Task A_generation_that_nobody_kept_is_not_found()
    {
        Root.Required();

        Reply reply = await AskAsync(new Request { Ruleset = new RulesetRequest { Generation = 4711 } });

        Assert.Equal((404u, true), (reply.Status, reply.Error.StartsWith("generation 4711 is not kept here: generation ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Nobody_changes_rules_where_the_node_was_not_told_to_let_them()
    {
        Root.Required();
        Nft(Filter);

        Reply reply = await AskAsync(Change(new RuleChange { Action = "add", Family = "inet", Table = "filter", Chain = "input", Rule = "drop" }), allows: false);

        Assert.Equal(403u, reply.Status);
        Assert.Equal(["tcp dport 22 accept"], Texts());
    }

    [Fact]
    public async Task A_rule_that_an_admin_adds_is_there_logged_with_his_name_and_can_be_taken_back()
    {
        Root.Required();
        Nft(Filter);

        JsonElement made = Json(await AskAsync(Change(new RuleChange { Action = "add", Family = "inet", Table = "filter", Chain = "input", Rule = "tcp dport 443 drop", Author = "ada" })));

        Assert.Equal(["tcp dport 22 accept", "tcp dport 443 drop"], Texts());
        Assert.StartsWith("inet filter input tcp dport 443 drop", made.GetProperty("added")[0].GetString(), StringComparison.Ordinal);
        Assert.Contains("\"controller_user\":\"ada\"", string.Concat(Directory.EnumerateFiles(_directory.File("rules"), "*log*", SearchOption.AllDirectories).Select(File.ReadAllText)), StringComparison.Ordinal);

        Json(await AskAsync(Change(new RuleChange { Action = "undo", ChangeId = made.GetProperty("id").GetString()! })));
        Assert.Equal(["tcp dport 22 accept"], Texts());
    }

    [Theory]
    [InlineData("apply", "", 409, "nft refuses it, nothing was changed")]
    [InlineData("add", "tcp dport 99999 drop", 409, "nft refuses it, nothing was changed")]
    [InlineData("undo", "", 409, "there is no change to take back")]
    [InlineData("confirm", "", 409, "no change waits for a confirmation")]
    [InlineData("shuffle", "", 501, "this version of the node knows no change 'shuffle'")]
    public async Task What_cannot_be_done_is_refused_and_changes_nothing(string action, string rule, uint status, string why)
    {
        Root.Required();
        Nft(Filter);

        Reply reply = await AskAsync(Change(new RuleChange { Action = action, Family = "inet", Table = "filter", Chain = "input", Rule = rule, Script = "flush ruleset\ntable inet filter { chain broken" }));

        Assert.Equal(status, reply.Status);
        Assert.StartsWith(why, reply.Error, StringComparison.Ordinal);
        Assert.Equal(["tcp dport 22 accept"], Texts());
    }

    [Fact]
    public async Task A_chain_that_is_not_there_is_not_found()
    {
        Root.Required();

        Reply reply = await AskAsync(Change(new RuleChange { Action = "add", Family = "inet", Table = "filter", Chain = "input", Rule = "drop" }));

        Assert.Equal((404u, "there is no chain inet filter input"), (reply.Status, reply.Error));
    }

    private static Request Change(RuleChange change) => new() { RuleChange = change };

    private static JsonElement Json(Reply reply)
    {
        Assert.Equal("", reply.Error);
        return JsonDocument.Parse(reply.Json.Memory).RootElement;
    }

    private async Task<Reply> AskAsync(Request request, bool allows = true)
    {
        Assert.True(ControllerAddress.TryParse("https://controller.example", out ControllerAddress? controller));
        AgentOptions options = new()
        {
            Controller = controller!,
            Name = "r1",
            Netns = _network!.Name,
            StateDirectory = _directory.Path,
            Spool = new SpoolOptions { Directory = _directory.File("spool") },
            AllowsChanges = allows,
            ChangesDirectory = _directory.File("rules"),
        };
        await using KernelHosts hosts = new(options, TimeProvider.System, _ => { });
        return await NodeAnswers.AnswerAsync(request, options, hosts);
    }

    private void Nft(string script)
    {
        ToolResult result = Tool.Run("ip", ["netns", "exec", _network!.Name, "nft", script]);
        Assert.True(result.ExitCode == 0, result.Errors);
    }

    private string[] Texts() => [.. RulesetReader.ReadOnce(_network!.Path, RuleTexts.Stateless).Chains.SelectMany(chain => chain.Rules).Select(rule => rule.Text!)];
}
