using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace NftCluster.Lab;

/// <summary>Runs a short-lived program (ip, sh) to its end and keeps what it said.</summary>
internal static class Tool
{
    private static readonly TimeSpan _timeout = TimeSpan.FromSeconds(60); // long: emulated and overloaded machines have needed more than 10

    /// <summary>Exit code and both outputs; a program that is not there is an error that names its package.</summary>
    public static ToolResult Run(string program, IEnumerable<string> arguments, string input = "")
    {
        using Process process = Start(program, arguments, redirectInput: true);
        var errors = new StringBuilder();
        var output = new StringBuilder();
        process.ErrorDataReceived += (_, line) => Append(errors, line.Data);
        process.OutputDataReceived += (_, line) => Append(output, line.Data);
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        try
        {
            process.StandardInput.Write(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading its input: its exit code and errors tell why.
        }

        if (!process.WaitForExit(_timeout))
        {
            process.Kill(entireProcessTree: true);
            throw new LabException($"'{program} {string.Join(' ', arguments)}' did not end within {_timeout.TotalSeconds:0} s and was stopped.");
        }

        process.WaitForExit();
        return new ToolResult(process.ExitCode, output.ToString(), errors.ToString().Trim().ReplaceLineEndings("; "));
    }

    public static Process Start(string program, IEnumerable<string> arguments, bool redirectInput = false)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = redirectInput,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            return Process.Start(start) ?? throw new LabException($"cannot start '{program}'.");
        }
        catch (Win32Exception exception)
        {
            string package = program == "ip" ? "iproute2" : program;
            throw new LabException($"cannot run '{program}' ({exception.Message}): install it (apt-get install {package}).", exception);
        }
    }

    private static void Append(StringBuilder text, string? line)
    {
        if (line is not null)
        {
            text.Append(line).Append('\n');
        }
    }
}

/// <summary>How a program ended.</summary>
internal sealed record ToolResult(int ExitCode, string Output, string Errors);
