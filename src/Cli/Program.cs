using System.CommandLine;
using NftCluster.Cli;

ParseResult parsed = CommandLine.Parse(args.Length == 0 ? ["--help"] : args);
if (CommandLine.Complaint(parsed) is { } complaint)
{
    Console.Error.WriteLine(complaint);
    return 2;
}

// Ctrl-C belongs to the commands: they stop in order, export, and exit 0.
return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null, Error = new ErrorWriter(Console.Error) });
