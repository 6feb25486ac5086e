using System.Text.Json.Nodes;
using NftCluster.Messages;
using NftCluster.Node.Export;

namespace NftCluster.Tests.Node.Export;

public sealed class ExportSchemaTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    [Fact]
    public void An_export_with_every_optional_field_holds_the_schema() =>
        Assert.Empty(ExportSchema.Validate(Write(Samples.Session() with { Device = "eth0", Mark = "0x1/0xff", FailureReason = "out of memory" }, Samples.Statistics(lost: 3), Samples.Full())));

    [Fact]
    public void An_export_without_any_optional_field_holds_the_schema() =>
        Assert.Empty(ExportSchema.Validate(Write(Samples.BareSession(), Samples.Statistics(), Samples.Bare())));

    [Fact]
    public void An_export_without_traces_holds_the_schema() =>
        Assert.Empty(ExportSchema.Validate(Write(Samples.Session(), Samples.Statistics())));

    [Theory]
    [InlineData("session", "mode", "everything")]
    [InlineData("session", "start_time", "yesterday")]
    [InlineData("session", "surprise", "x")]
    [InlineData("statistics", "total_events", "many")]
    public void What_the_schema_does_not_know_is_a_violation(string part, string field, string value)
    {
        JsonNode export = JsonNode.Parse(File.ReadAllText(Write(Samples.Session(), Samples.Statistics(), Samples.Full())))!;
        export[part]![field] = value;

        Assert.Contains(field, Assert.Single(ExportSchema.Validate(export)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_field_left_out_is_a_violation()
    {
        JsonNode export = JsonNode.Parse(File.ReadAllText(Write(Samples.Session(), Samples.Statistics(), Samples.Full())))!;
        export["traces"]![0]!["events"]![0]!.AsObject().Remove("ttl");

        Assert.Contains("'ttl' is a required property", Assert.Single(ExportSchema.Validate(export)), StringComparison.Ordinal);
    }

    public void Dispose() => _directory.Dispose();

    private string Write(SessionRecord session, StatisticsRecord statistics, params TraceRecord[] traces)
    {
        using var writer = ExportWriter.Create(_directory.Path, session);
        foreach (TraceRecord trace in traces)
        {
            writer.Append(trace);
        }

        return writer.Complete(session, statistics);
    }
}
