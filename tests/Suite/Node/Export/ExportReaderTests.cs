using System.Text;
using NftCluster.Messages;
using NftCluster.Node.Export;

namespace NftCluster.Tests.Node.Export;

public sealed class ExportReaderTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    [Fact]
    public void Unknown_fields_are_ignored_and_the_order_of_fields_is_free()
    {
        string text = Export();
        int traces = text.IndexOf("\"traces\"", StringComparison.Ordinal);
        string head = text[1..traces].TrimEnd().TrimEnd(',');
        string list = text[traces..].TrimEnd()[..^1].TrimEnd();
        string turned = "\uFEFF{ \"new\": [1, {\"a\": null}], " + list.Replace("{\"key\":", "{\"later\":{\"b\":[]},\"key\":", StringComparison.Ordinal) + "," + head + "}";

        using var reader = ExportReader.Open(Put(turned));

        Assert.Null(reader.Session);
        Assert.Equal(2, reader.ReadTraces().Count());
        Assert.Equal("s1", reader.Session!.Id);
        Assert.Equal(2, reader.Statistics!.ExportedPackets);
    }

    [Fact]
    public void A_truncated_file_gives_its_good_traces_then_the_byte_at_which_it_ends()
    {
        byte[] whole = Encoding.UTF8.GetBytes(Export());
        string path = _directory.File("cut.json");
        File.WriteAllBytes(path, whole[..^100]);
        using var reader = ExportReader.Open(path);
        using IEnumerator<TraceRecord> traces = reader.ReadTraces().GetEnumerator();
        Assert.True(traces.MoveNext());

        ExportException broken = Assert.Throws<ExportException>(() => traces.MoveNext());

        Assert.Equal($"{path} is broken at byte {whole.Length - 100}, after 1 good traces: ends too early; export or copy it again", broken.Message);
    }

    [Fact]
    public void Every_cut_through_a_file_is_told_and_never_a_crash()
    {
        byte[] whole = Encoding.UTF8.GetBytes(Export(room: 64));
        string path = _directory.File("cut.json");
        for (int length = 0; length < whole.Length - 2; length += 7)
        {
            File.WriteAllBytes(path, whole[..length]);

            ExportException broken = Assert.Throws<ExportException>(() => ReadAll(path));

            Assert.DoesNotContain('\n', broken.Message);
        }
    }

    [Fact]
    public void Garbage_in_the_middle_is_placed_at_its_byte()
    {
        string text = Export();
        int at = text.LastIndexOf("\"netns\":", StringComparison.Ordinal) + "\"netns\":".Length;
        string path = Put(text[..at] + "!!" + text[at..]);

        ExportException broken = Assert.Throws<ExportException>(() => ReadAll(path));

        Assert.Contains($"broken at byte {at}, after 1 good traces: is no JSON", broken.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"netns\":4026532281", "\"netns\":\"r1\"", "$.netns does not fit")]
    [InlineData("\"direction\":\"forward\",\"final", "\"direction\":null,\"final", "$.direction does not fit")]
    [InlineData("\"nft_events\":[]", "\"nft_events\":[null]", "has null where a record must be")]
    public void A_value_of_the_wrong_kind_is_named(string good, string bad, string complaint)
    {
        string path = Put(Export().Replace(good, bad, StringComparison.Ordinal));

        Assert.Contains(complaint, Assert.Throws<ExportException>(() => ReadAll(path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[]", "it holds no JSON object")]
    [InlineData("", "it holds no JSON object")]
    [InlineData("{}", "it has no session or no statistics")]
    [InlineData("{\"traces\":{}}", "its traces are no list")]
    public void Another_JSON_file_is_not_an_export(string text, string why)
    {
        string path = Put(text);

        Assert.Equal(
            $"{path} is not an NftCluster export: {why}; give a file written by 'nftcluster trace --export'",
            Assert.Throws<ExportException>(() => ReadAll(path)).Message);
    }

    [Fact]
    public void A_missing_file_and_a_directory_are_told_apart()
    {
        string missing = _directory.File("none.json");

        Assert.Equal($"cannot read {missing}: No such file or directory", Assert.Throws<ExportException>(() => ReadAll(missing)).Message);
        Assert.StartsWith($"{_directory.Path} is a directory", Assert.Throws<ExportException>(() => ReadAll(_directory.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_trace_larger_than_the_window_is_read_whole()
    {
        TraceRecord large = Samples.Forwarded() with { Events = [.. Enumerable.Repeat(Samples.Forwarded().Events[0], 20_000)] };
        using var writer = ExportWriter.Create(_directory.Path, Samples.Session());
        writer.Append(Samples.Dropped());
        writer.Append(large);
        writer.Append(Samples.Dropped());

        using var reader = ExportReader.Open(writer.Complete(Samples.Session(), Samples.Statistics()));

        Assert.Equal([3, 20_000, 3], reader.ReadTraces().Select(t => t.Events.Count));
    }

    public void Dispose() => _directory.Dispose();

    private static void ReadAll(string path)
    {
        using var reader = ExportReader.Open(path);
        foreach (TraceRecord trace in reader.ReadTraces())
        {
            Assert.NotNull(trace.Events);
        }
    }

    private string Export(int room = ExportHead.DefaultRoom)
    {
        using var writer = ExportWriter.Create(_directory.Path, Samples.Session(), room);
        writer.Append(Samples.Forwarded());
        writer.Append(Samples.Forwarded());
        return File.ReadAllText(writer.Complete(Samples.Session(), Samples.Statistics()));
    }

    private string Put(string text)
    {
        string path = _directory.File("given.json");
        File.WriteAllText(path, text);
        return path;
    }
}
