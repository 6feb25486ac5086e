using System.Text.Json.Nodes;
using NftCluster.Messages;
using NftCluster.Node.Export;

namespace NftCluster.Tests.Node.Export;

public sealed class ExportWriterTests : IDisposable
{
    private const string FinalName = "trace_full_s1_20250131_140305.json";

    private readonly TempDirectory _directory = new();

    [Fact]
    public void What_was_written_is_read_back_field_by_field()
    {
        TraceRecord[] traces = [Samples.Forwarded(), Samples.Dropped(), Samples.Full(), Samples.Bare()];

        string path = Write(traces);

        using var reader = ExportReader.Open(path);
        Assert.Equivalent(Samples.Session(), reader.Session, strict: true);
        Assert.Equivalent(Samples.Statistics() with { ExportedPackets = 4 }, reader.Statistics, strict: true);
        Assert.Equivalent(traces, reader.ReadTraces().ToArray(), strict: true);
    }

    [Fact]
    public void The_name_tells_mode_session_and_start_in_UTC()
    {
        Assert.Equal(_directory.File(FinalName), Write([]));
        Assert.Equal([FinalName], _directory.Names);
    }

    [Fact]
    public void An_identifier_cannot_leave_the_directory()
    {
        using var writer = ExportWriter.Create(_directory.Path, Samples.Session("../x y"));

        Assert.Equal("trace_full_---x-y_20250131_140305.json", Path.GetFileName(writer.Complete(Samples.Session(), Samples.Statistics())));
    }

    [Fact]
    public void An_export_of_the_same_name_is_never_overwritten()
    {
        File.WriteAllText(_directory.File(FinalName), "mine");

        Assert.EndsWith("140305-2.json", Write([]), StringComparison.Ordinal);
        Assert.EndsWith("140305-3.json", Write([]), StringComparison.Ordinal);
        Assert.Equal("mine", File.ReadAllText(_directory.File(FinalName)));
    }

    [Fact]
    public void Until_it_is_complete_nothing_of_it_has_a_name()
    {
        Unnamed.Required(_directory.Path);
        using (var writer = ExportWriter.Create(_directory.Path, Samples.Session()))
        {
            writer.Append(Samples.Forwarded());

            Assert.Empty(_directory.Names);
        }

        Assert.Empty(_directory.Names);
    }

    [Fact]
    public void Session_and_statistics_stand_before_the_traces_and_the_room_is_filled_with_spaces()
    {
        string text = File.ReadAllText(Write([Samples.Forwarded()]));

        Assert.StartsWith("{\"session\":{\"id\":\"s1\"", text, StringComparison.Ordinal);
        Assert.Equal(ExportHead.DefaultRoom, text.IndexOf("\"traces\":[", StringComparison.Ordinal));
        Assert.NotNull(JsonNode.Parse(text));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(40)]
    public void A_head_that_outgrows_its_room_is_written_anew(int room)
    {
        using var writer = ExportWriter.Create(_directory.Path, Samples.Session(), room);
        writer.Append(Samples.Forwarded());
        writer.Append(Samples.Dropped());

        string path = writer.Complete(Samples.Session(), Samples.Statistics());

        using var reader = ExportReader.Open(path);
        Assert.Equal(2, reader.ReadTraces().Count());
        Assert.Equal([FinalName], _directory.Names);
    }

    [Fact]
    public void The_room_holds_a_head_to_the_byte()
    {
        SessionRecord session = Samples.Session();
        StatisticsRecord statistics = Samples.Statistics() with { ExportedPackets = 1 };
        int exact = ExportHead.Render(session, statistics, room: 1).Length;
        using var writer = ExportWriter.Create(_directory.Path, session, exact);
        writer.Append(Samples.Forwarded());

        JsonNode export = JsonNode.Parse(File.ReadAllText(writer.Complete(session, statistics)))!;

        Assert.Single(export["traces"]!.AsArray());
    }

    [Fact]
    public void Each_trace_is_one_line()
    {
        string[] lines = File.ReadAllLines(Write([Samples.Forwarded(), Samples.Full()]));

        Assert.Equal(2, lines.Count(line => line.StartsWith("{\"key\":", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_missing_directory_is_made()
    {
        string deep = _directory.File("a/b");
        using var writer = ExportWriter.Create(deep, Samples.Session());

        Assert.Equal(deep, Path.GetDirectoryName(writer.Complete(Samples.Session(), Samples.Statistics())));
    }

    [Fact]
    public void A_directory_that_cannot_be_written_to_is_named_with_the_reason_in_one_line()
    {
        ExportException refused = Assert.Throws<ExportException>(() => ExportWriter.Create("/proc/nowhere", Samples.Session()));

        Assert.Equal("cannot write the export in /proc/nowhere: No such file or directory; choose a directory that this user may write to", refused.Message);
    }

    [Fact]
    public void A_file_in_the_directory_s_place_is_refused_in_one_line()
    {
        string file = _directory.File("file");
        File.WriteAllText(file, "");

        ExportException refused = Assert.Throws<ExportException>(() => ExportWriter.Create(file, Samples.Session()));

        Assert.StartsWith($"cannot write the export in {file}: ", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
    }

    public void Dispose() => _directory.Dispose();

    private string Write(IEnumerable<TraceRecord> traces)
    {
        using var writer = ExportWriter.Create(_directory.Path, Samples.Session());
        foreach (TraceRecord trace in traces)
        {
            writer.Append(trace);
        }

        return writer.Complete(Samples.Session(), Samples.Statistics());
    }
}
