using System.Diagnostics;
using System.Text.Json.Nodes;

namespace NftCluster.Tests.Node.Export;

/// <summary>Holds any export to docs/export.schema.json with a real 2020-12 validator.</summary>
/// <remarks>
/// Debian's python3-jsonschema: no .NET validator of draft 2020-12 restores here under a licence that fits
/// (JsonSchema.Net lacks its dependencies, NJsonSchema stops at draft 7, Newtonsoft.Json.Schema is AGPL).
/// </remarks>
public static class ExportSchema
{
    private static readonly string[] _candidates = ["/usr/bin/python3", "python3"];
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(2);
    private static readonly Lazy<string?> _python = new(FindPython);

    /// <summary>The violations, none for a good export. Skips the test where the validator is not installed.</summary>
    public static IReadOnlyList<string> Validate(string path)
    {
        Assert.SkipWhen(_python.Value is null, "no 2020-12 validator: apt-get install python3-jsonschema");
        (int exitCode, string output) = Run(_python.Value!, Repository.PathOf("tests/Suite/Node/Export/validate_export.py"), Repository.PathOf("docs/export.schema.json"), path);
        string[] lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return exitCode != 0 && lines.Length == 0 ? ["the validator failed without a word"] : lines;
    }

    public static IReadOnlyList<string> Validate(JsonNode export)
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, export.ToJsonString());
            return Validate(path);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static string? FindPython() => _candidates.FirstOrDefault(Works);

    private static bool Works(string python)
    {
        try
        {
            return Run(python, "-c", "from jsonschema import Draft202012Validator").ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            // No such program.
            return false;
        }
    }

    private static (int ExitCode, string Output) Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        Assert.True(process.WaitForExit(_patience), $"{program} did not end");
        return (process.ExitCode, output + errors.GetAwaiter().GetResult());
    }
}
