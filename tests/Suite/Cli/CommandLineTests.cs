using System.CommandLine;
using System.CommandLine.Parsing;
using NftCluster.Cli;

namespace NftCluster.Tests.Cli;

public sealed class CommandLineTests
{
    public static TheoryData<string> Examples => [.. ExamplesOf(CommandLine.Create())];

    [Fact]
    public void Commands_have_examples() => Assert.True(Examples.Count >= 9, $"{Examples.Count} examples");

    [Theory]
    [MemberData(nameof(Examples))]
    public void Every_example_in_every_help_parses(string example)
    {
        ParseResult parsed = CommandLine.Parse([.. CommandLineParser.SplitCommandLine(example.Replace('\'', '"')).Skip(1)]);

        Assert.Null(CommandLine.Complaint(parsed));
        // The filter takes any words: an option that does not exist would be one of them.
        Assert.DoesNotContain(parsed.Tokens, token => token.Type == TokenType.Argument && token.Value.StartsWith("--", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("lab traffic --kind bogus", "'bogus'", "'flood'", "(see: nftcluster lab traffic --help)")]
    [InlineData("completion fish", "'fish'", "'zsh'", "(see: nftcluster completion --help)")]
    [InlineData("frobnicate", "unknown command or option 'frobnicate'", "(see: nftcluster --help)")]
    public void A_line_that_cannot_be_understood_is_answered_in_one_line(string arguments, params string[] expected)
    {
        string complaint = CommandLine.Complaint(CommandLine.Parse(arguments.Split(' ')))!;

        Assert.DoesNotContain('\n', complaint);
        Assert.DoesNotContain('\t', complaint);
        Assert.All(expected, part => Assert.Contains(part, complaint, StringComparison.Ordinal));
    }

    private static IEnumerable<string> ExamplesOf(Command command) =>
        (command.Description ?? "").Split('\n').Select(line => line.Trim())
            .Where(line => line.StartsWith("nftcluster ", StringComparison.Ordinal))
            .Select(line => line.Split("   ")[0].Split(" | ")[0])
            .Concat(command.Subcommands.SelectMany(ExamplesOf));
}
