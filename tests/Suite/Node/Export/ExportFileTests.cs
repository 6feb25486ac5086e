using System.Text;
using NftCluster.Lab;
using NftCluster.Node.Export;

namespace NftCluster.Tests.Node.Export;

/// <summary>Both ways to write an export behave alike, but for what a killed process leaves.</summary>
public sealed class ExportFileTests : IDisposable
{
    private const string Stem = "trace_full_s1_20250131_140305";

    private readonly TempDirectory _directory = new();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_published_file_has_its_content_and_its_final_name_and_overwrites_nothing(bool unnamed)
    {
        File.WriteAllText(_directory.File($"{Stem}.json"), "mine");

        using (ExportFile file = Create(unnamed))
        {
            file.Stream.Write("whole"u8);
            Assert.Equal(_directory.File($"{Stem}-2.json"), file.Publish());
        }

        Assert.Equal([$"{Stem}-2.json", $"{Stem}.json"], _directory.Names.Order(StringComparer.Ordinal), StringComparer.Ordinal);
        Assert.Equal(("mine", "whole"), (File.ReadAllText(_directory.File($"{Stem}.json")), File.ReadAllText(_directory.File($"{Stem}-2.json"), Encoding.UTF8)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_file_that_was_not_published_is_gone(bool unnamed)
    {
        using (ExportFile file = Create(unnamed))
        {
            file.Stream.Write("half"u8);
        }

        Assert.Empty(_directory.Names);
    }

    [Fact]
    public void A_named_file_is_hidden_and_tells_its_writer_until_it_is_published()
    {
        using NamedExportFile file = new(_directory.Path, Stem);

        string name = Assert.Single(_directory.Names);
        Assert.StartsWith($".{Stem}.{Environment.ProcessId}-", name, StringComparison.Ordinal);
        Assert.EndsWith(".partial", name, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unnamed_file_is_readable_as_the_umask_says()
    {
        Unnamed.Required(_directory.Path);
        using ExportFile file = Create(unnamed: true);
        File.WriteAllText(_directory.File("usual"), "");

        Assert.Equal(ModeOf(_directory.File("usual")), ModeOf(file.Publish()));
    }

    public void Dispose() => _directory.Dispose();

    private static string ModeOf(string path) => Tool.Run("stat", ["-c", "%A", path]).Output;

    private ExportFile Create(bool unnamed)
    {
        if (!unnamed)
        {
            return new NamedExportFile(_directory.Path, Stem);
        }
        Unnamed.Required(_directory.Path);
        return UnnamedExportFile.TryCreate(_directory.Path, Stem)!;
    }
}
