using System.CommandLine;
using System.CommandLine.Parsing;
using NftCluster.Cli.Client;
using NftCluster.Cli.Cluster;
using NftCluster.Cli.Nodes;
using NftCluster.Cli.Rules;

namespace NftCluster.Cli;

/// <summary>The commands of <c>nftcluster</c>, and what is said of a line that cannot be understood.</summary>
internal static class CommandLine
{
    private static readonly char[] _blanks = [' ', '\t', '\r', '\n'];

    public static RootCommand Create() => new("""
        NftCluster follows one packet through the Linux kernel: where it went, what decided, and what is not known.

        Begin with:
          nftcluster lab up            a network of namespaces to play with
          nftcluster trace --netns line-r1 icmp
        """)
    {
        TraceCommand.Create(),
        ProbesCommand.Create(),
        ShowCommand.Create(),
        RulesCommand.Create(),
        UpCommand.Create(),
        ControllerCommand.Create(),
        TokenCommand.Create(),
        LoginCommands.Login(),
        LoginCommands.Logout(),
        LoginCommands.WhoAmI(),
        LoginCommands.Password(),
        ContextCommand.Create(),
        SessionCommands.Create(),
        TracesCommand.Create(),
        JourneyCommands.Journeys(),
        JourneyCommands.One(),
        JourneyCommands.Paths(),
        UserCommands.Create(),
        LabCommand.Create(),
        NodeCommand.Create(),
        CompletionCommand.Create(),
    };

    /// <summary>Without response files: <c>@blocked</c> is a set in a rule, not a file with more arguments.</summary>
    public static ParseResult Parse(IReadOnlyList<string> arguments) => Create().Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });

    /// <summary>One line; null when it can be understood.</summary>
    public static string? Complaint(ParseResult parsed)
    {
        if (parsed.Errors.Count == 0)
        {
            return null;
        }
        // The word that nobody knows tells more than what is missing because of it. The library's lists of values come a line each.
        string complaint = parsed.UnmatchedTokens is [var unknown, ..] ? $"unknown command or option '{unknown}'"
            : string.Join(' ', parsed.Errors[0].Message.Split(_blanks, StringSplitOptions.RemoveEmptyEntries));
        return $"nftcluster: {complaint} (see: nftcluster{PathOf(parsed)} --help)";
    }

    private static string PathOf(ParseResult parsed)
    {
        string path = "";
        for (CommandResult? at = parsed.CommandResult; at?.Parent is not null; at = at.Parent as CommandResult)
        {
            path = " " + at.Command.Name + path;
        }
        return path;
    }
}
