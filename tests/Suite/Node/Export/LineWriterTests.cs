using System.Text.Json;
using NftCluster.Messages;
using NftCluster.Node.Export;

namespace NftCluster.Tests.Node.Export;

public sealed class LineWriterTests
{
    [Fact]
    public void Each_trace_is_one_line_shaped_as_in_the_export()
    {
        using var output = new MemoryStream();
        using var lines = new LineWriter(output);
        lines.Append(Samples.Full());
        lines.Append(Samples.Bare());
        lines.Flush();

        string[] text = System.Text.Encoding.UTF8.GetString(output.ToArray()).TrimEnd('\n').Split('\n');

        Assert.Equal(2, text.Length);
        Assert.Equivalent(Samples.Full(), JsonSerializer.Deserialize(text[0], TraceJson.Default.TraceRecord), strict: true);
        Assert.Equivalent(Samples.Bare(), JsonSerializer.Deserialize(text[1], TraceJson.Default.TraceRecord), strict: true);
    }

    [Fact]
    public void A_reader_that_has_gone_ends_it_quietly()
    {
        using var output = new ClosedPipe();
        using var lines = new LineWriter(output);
        lines.Append(Samples.Full());

        lines.Flush();
        lines.Append(Samples.Full());
        lines.Flush();

        Assert.True(lines.ReaderGone);
    }

    [Fact]
    public void A_full_disk_behind_standard_output_is_told()
    {
        using var full = new FileStream("/dev/full", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        using var lines = new LineWriter(full);
        lines.Append(Samples.Full());

        Assert.StartsWith("cannot write to standard output: No space left on device", Assert.Throws<ExportException>(lines.Flush).Message, StringComparison.Ordinal);
    }

    private sealed class ClosedPipe : MemoryStream
    {
        private const int BrokenPipe = 32;

        public override void Write(ReadOnlySpan<byte> buffer) => throw new IOException("Broken pipe", BrokenPipe);
    }
}
