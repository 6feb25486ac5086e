using System.CommandLine;
using System.Text;

namespace NftCluster.Cli.Client;

/// <summary>A password: from a file, from standard input, or typed unseen. Never from the command line, which others can read.</summary>
internal static class SecretInput
{
    public static Option<string?> FileOption(string name, string description) => new(name) { Description = description, HelpName = "FILE" };

    public static string Read(string? file, string prompt, TextWriter error)
    {
        if (file is not null)
        {
            return FirstLine(file == "-" ? Console.In : new StreamReader(file)) is { Length: > 0 } line ? line : throw new UsageException($"{file} has no password in its first line");
        }
        if (Console.IsInputRedirected)
        {
            return FirstLine(Console.In) is { Length: > 0 } line ? line : throw new UsageException("no password: give a file, or type it on a terminal");
        }
        error.Write(prompt);
        string typed = Typed();
        error.WriteLine();
        return typed.Length > 0 ? typed : throw new UsageException("no password was typed");
    }

    private static string? FirstLine(TextReader reader)
    {
        using (reader)
        {
            return reader.ReadLine();
        }
    }

    private static string Typed()
    {
        StringBuilder typed = new();
        while (Console.ReadKey(intercept: true) is { Key: not ConsoleKey.Enter } key)
        {
            if (key.Key == ConsoleKey.Backspace)
            {
                typed.Length = Math.Max(0, typed.Length - 1);
            }
            else if (!char.IsControl(key.KeyChar))
            {
                typed.Append(key.KeyChar);
            }
        }
        return typed.ToString();
    }
}
