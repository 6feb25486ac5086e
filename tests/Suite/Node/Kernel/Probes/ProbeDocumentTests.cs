using System.Text;
using NftCluster.Node.Kernel.Probes;

namespace NftCluster.Tests.Node.Kernel.Probes;

public sealed class ProbeDocumentTests
{
    private const string Begin = "<!-- catalog: begin -->\n";
    private const string End = "<!-- catalog: end -->";

    [Fact]
    public void The_table_in_docs_probes_md_is_the_catalog()
    {
        string path = Path.Combine(Repository.Root, "docs", "probes.md");
        string text = File.ReadAllText(path);
        int from = text.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        int to = text.IndexOf(End, StringComparison.Ordinal);
        if (Environment.GetEnvironmentVariable("WRITE_PROBE_TABLE") == "1")
        {
            text = text[..from] + Table() + text[to..];
            File.WriteAllText(path, text);
            to = text.IndexOf(End, StringComparison.Ordinal);
        }

        Assert.Equal(Table(), text[from..to]);
    }

    private static string Table()
    {
        var text = new StringBuilder("\n| # | probe | layer | direction | step | role | reads | stands in |\n|---|---|---|---|---|---|---|---|\n");
        for (int i = 0; i < ProbeCatalog.All.Count; i++)
        {
            ProbeDefinition row = ProbeCatalog.All[i];
            string module = row.Module is null ? "" : $" ({row.Module})";
            string[] reads = [.. new[] { row.ParamArgument, row.Param2Argument }.OfType<string>().Select(name => $"`{name}`")];
            IEnumerable<string> standIns = row.StandIns.Count > 2 ? ["all `hook:` rows"] : row.StandIns.Select(name => $"`{name}`");
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"| {i} | `{row.QualifiedName}`{module} | {row.Layer} | {row.Direction} | {row.Step} | {row.Role} | {string.Join(", ", reads)} | {string.Join(", ", standIns)} |\n");
        }

        return text.Append('\n').ToString();
    }
}
