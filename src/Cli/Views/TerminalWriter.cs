namespace NftCluster.Cli.Views;

/// <summary>Writes text with colours where a terminal wants them, and keeps what packets and processes named from controlling it.</summary>
internal sealed class TerminalWriter(TextWriter output, bool colour) : IDisposable
{
    private const char Escape = '\e';

    public bool Colour => colour;

    /// <summary>Colours only on a terminal that can show them, and never against the user's NO_COLOR.</summary>
    public static bool WantsColour(bool isTerminal, Func<string, string?> environment) =>
        isTerminal && string.IsNullOrEmpty(environment("NO_COLOR")) && environment("TERM") is not ("dumb" or null or "");

    public TerminalWriter Write(string text, Ink ink = Ink.Plain)
    {
        if (!colour || ink == Ink.Plain)
        {
            WriteSafe(text);
            return this;
        }

        output.Write($"{Escape}[{Code(ink)}m");
        WriteSafe(text);
        output.Write($"{Escape}[0m");
        return this;
    }

    /// <summary>Text in a column: at least <paramref name="width"/> wide, right-aligned where the width is negative.</summary>
    public TerminalWriter WriteColumn(string text, int width, Ink ink = Ink.Plain)
    {
        int blanks = Math.Max(0, Math.Abs(width) - text.Length);
        if (width < 0)
        {
            output.Write(new string(' ', blanks));
            return Write(text, ink);
        }

        Write(text, ink);
        output.Write(new string(' ', blanks));
        return this;
    }

    public void EndLine() => output.Write('\n');

    public void Flush() => output.Flush();

    /// <summary>The output is the caller's; what is buffered goes out.</summary>
    public void Dispose() => output.Flush();

    private static string Code(Ink ink) => ink switch
    {
        Ink.Dim => "2",
        Ink.Strong => "1",
        Ink.Good => "32",
        Ink.Bad => "1;31",
        Ink.Warning => "33",
        Ink.Change => "35",
        _ => "0",
    };

    /// <summary>A process may call itself "\e[2J": control characters are shown as a dot.</summary>
    private void WriteSafe(string text)
    {
        foreach (char c in text)
        {
            if (char.IsControl(c))
            {
                output.Write(string.Create(text.Length, text, static (span, from) =>
                {
                    for (int i = 0; i < span.Length; i++)
                    {
                        span[i] = char.IsControl(from[i]) ? '·' : from[i];
                    }
                }));
                return;
            }
        }

        output.Write(text);
    }
}
