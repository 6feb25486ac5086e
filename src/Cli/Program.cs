using System.CommandLine;
using NftCluster.Cli;
using NftCluster.Cli.Rules;

RootCommand root = new("""
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
    LabCommand.Create(),
    CompletionCommand.Create(),
};

// `@blocked` is a set in a rule, not a file with more arguments.
ParseResult parsed = root.Parse(args.Length == 0 ? ["--help"] : args, new ParserConfiguration { ResponseFileTokenReplacer = null });
if (parsed.Errors.Count > 0)
{
    // The word that nobody knows tells more than what is missing because of it.
    string complaint = parsed.UnmatchedTokens is [var unknown, ..] ? $"unknown command or option '{unknown}'" : parsed.Errors[0].Message;
    Console.Error.WriteLine($"nftcluster: {complaint} (see: nftcluster{CommandPath(parsed)} --help)");
    return 2;
}

// Ctrl-C belongs to the commands: they stop in order, export, and exit 0.
return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });

static string CommandPath(ParseResult parsed)
{
    string path = "";
    for (System.CommandLine.Parsing.CommandResult? at = parsed.CommandResult; at?.Parent is not null; at = at.Parent as System.CommandLine.Parsing.CommandResult)
    {
        path = " " + at.Command.Name + path;
    }
    return path;
}
