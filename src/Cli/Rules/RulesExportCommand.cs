using System.CommandLine;
using System.Text;
using NftCluster.Node.Kernel;
using NftCluster.Node.Nftables.Changes;

namespace NftCluster.Cli.Rules;

/// <summary><c>nftcluster rules export</c>: a file that <c>nft -f</c> and <c>rules apply</c> read back.</summary>
internal static class RulesExportCommand
{
    public static Command Create()
    {
        Command command = new("export", """
            Write a ruleset that `nft -f` reads back: it replaces these tables and leaves others alone.

            Examples:
              nftcluster rules export router.nft
              nftcluster rules export --counters | ssh other nft -f -
            """);
        Argument<string?> file = new("FILE") { Description = "Where to. Default: standard output.", Arity = ArgumentArity.ZeroOrOne };
        command.Arguments.Add(file);
        RulesPlace place = new RulesPlace().AddNamespaceTo(command);
        Option<bool> counters = new("--counters") { Description = "With counters, quotas and learned set elements as they are now." };
        command.Options.Add(counters);
        command.SetAction((parsed, cancellation) => Failures.GuardedAsync(parsed, async () =>
        {
            RulesetPicture picture = NetworkNamespace.Run(place.PathOf(parsed), RulesetPicture.Take);
            string text = Text(picture, parsed.GetValue(counters));
            if (parsed.GetValue(file) is { } path and not "-")
            {
                await WriteAsync(path, text, cancellation);
            }
            else
            {
                await parsed.InvocationConfiguration.Output.WriteAsync(text);
            }
            foreach (TableText owned in picture.Tables.Where(table => table.Owned))
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync($"nftcluster: {owned.Key} belongs to another program and is left out");
            }
            return 0;
        }));
        return command;
    }

    private static string Text(RulesetPicture picture, bool counters)
    {
        TableText[] tables = [.. picture.Tables.Where(table => !table.Owned).Select(table => table with { Text = counters ? table.Text : table.Stateless })];
        return tables.FirstOrDefault(table => table.Text is null) is { } odd
            ? throw new RuleChangeException($"table {odd.Key} cannot be exported: its name or a comment in it looks like another table")
            : $"#!/usr/sbin/nft -f\n# nftcluster rules export: generation {picture.Rules.Generation}, {Views.Readable.Plural(tables.Length, "table")}\n\n{RulesetPicture.RestoreScript(tables)}";
    }

    /// <summary>Whole or not at all: a rename, never a half file.</summary>
    private static async Task WriteAsync(string path, string text, CancellationToken cancellation)
    {
        string partial = $"{path}.{Environment.ProcessId}.partial";
        try
        {
            await File.WriteAllTextAsync(partial, text, new UTF8Encoding(false), cancellation);
            File.Move(partial, path, overwrite: true);
        }
        catch (Exception unwritable) when (unwritable is IOException or UnauthorizedAccessException)
        {
            File.Delete(partial);
            throw new UsageException($"{path} cannot be written: {unwritable.Message}");
        }
    }
}
