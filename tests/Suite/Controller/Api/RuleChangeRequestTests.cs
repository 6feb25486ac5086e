using NftCluster.Controller.Api;

namespace NftCluster.Tests.Controller.Api;

public sealed class RuleChangeRequestTests
{
    private static RuleChangeRequest Rule(string action) => new() { Action = action, Family = "inet", Table = "filter", Chain = "input" };

    [Fact]
    public void A_whole_change_is_right()
    {
        Assert.Null((Rule("add") with { Rule = "drop", After = 3, ConfirmSeconds = 30 }).Wrong());
        Assert.Null((Rule("insert") with { Rule = "drop", Before = 3 }).Wrong());
        Assert.Null((Rule("replace") with { Rule = "drop", Handle = 3 }).Wrong());
        Assert.Null((Rule("delete") with { Handle = 3 }).Wrong());
        Assert.Null(new RuleChangeRequest { Action = "apply", Script = "flush ruleset" }.Wrong());
        Assert.Null(new RuleChangeRequest { Action = "undo" }.Wrong());
        Assert.Null(new RuleChangeRequest { Action = "confirm" }.Wrong());
    }

    [Fact]
    public void The_field_that_is_wrong_is_named()
    {
        Assert.Equal("action", Rule("shuffle").Wrong()?.Field);
        Assert.Equal("rule", Rule("add").Wrong()?.Field);
        Assert.Equal("handle", Rule("delete").Wrong()?.Field);
        Assert.Equal("chain", (Rule("add") with { Chain = "", Rule = "drop" }).Wrong()?.Field);
        Assert.Equal("before", (Rule("add") with { Rule = "drop", Before = 3 }).Wrong()?.Field);
        Assert.Equal("family", (Rule("apply") with { Script = "flush ruleset" }).Wrong()?.Field);
        Assert.Equal("confirm_seconds", (Rule("add") with { Rule = "drop", ConfirmSeconds = 0 }).Wrong()?.Field);
        Assert.Equal("script", new RuleChangeRequest { Action = "apply", Script = new string(' ', (1 << 20) + 1) }.Wrong()?.Field);
    }

    [Fact]
    public void An_order_says_all_that_the_request_said()
    {
        NftCluster.Messages.Link.RuleChange order = (Rule("insert") with { Rule = "drop", Before = 3, ConfirmSeconds = 30 }).ToOrder("ada");

        Assert.Equal(("ada", "insert", "inet", "filter", "input", "drop", 3ul, 30u), (order.Author, order.Action, order.Family, order.Table, order.Chain, order.Rule, order.Anchor, order.ConfirmS));
    }
}
