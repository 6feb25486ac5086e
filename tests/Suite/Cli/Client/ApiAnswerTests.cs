using System.Net;
using System.Net.Security;
using System.Text.Json;
using NftCluster.Cli.Client;

namespace NftCluster.Tests.Cli.Client;

/// <summary>What the API answers, as a user of the command line reads it.</summary>
public sealed class ApiAnswerTests
{
    private static readonly ApiColumn[] _columns = [new("NAME", "name"), new("CPU %", "load.cpu_percent"), new("SEEN", "seen"), new("LABELS", "labels", IsWide: true)];

    [Fact]
    public void A_table_has_a_head_and_a_dash_where_nothing_is_known()
    {
        Assert.Equal("""
            NAME  CPU %  SEEN
            r1    12.5   2026-01-02 03:04:05Z
            r2    -      -

            """, Table(ClientOptions.Table, """[{"name":"r1","load":{"cpu_percent":12.5},"seen":"2026-01-02T03:04:05.678Z"},{"name":"r2","load":null}]"""));
    }

    [Fact]
    public void The_wide_form_has_more_columns() =>
        Assert.EndsWith("site=berlin,tier=1\n", Table(ClientOptions.Wide, """[{"name":"r1","labels":{"site":"berlin","tier":1}}]"""), StringComparison.Ordinal);

    [Fact]
    public void Json_is_what_the_controller_said()
    {
        const string Said = """[{"name":"r1","unknown":"to this program"}]""";
        using var printed = JsonDocument.Parse(Table(ClientOptions.Json, Said));

        Assert.Equal(Said, JsonSerializer.Serialize(printed.RootElement));
    }

    [Fact]
    public void A_name_cannot_send_commands_to_the_terminal() =>
        Assert.DoesNotContain('\e', Table(ClientOptions.Table, """[{"name":"\u001b[2Jr1"}]"""));

    [Theory]
    [InlineData(HttpStatusCode.BadRequest, """{"title":"Bad request","detail":"no such mode","field":"mode"}""", "mode: no such mode")]
    [InlineData(HttpStatusCode.Forbidden, """{"title":"This needs the role admin"}""", "This needs the role admin")]
    [InlineData(HttpStatusCode.Unauthorized, """{"title":"The token has ended"}""", "The token has ended: nftcluster login https://c:7443")]
    [InlineData(HttpStatusCode.BadGateway, "<html>", "the controller answers 502")]
    [InlineData(HttpStatusCode.BadRequest, "[]", "the controller answers 400")]
    public void A_refusal_is_one_line(HttpStatusCode status, string body, string line) => Assert.Equal(line, ApiProblem.Line(status, body, "https://c:7443"));

    [Fact]
    public void Rows_and_the_next_page_are_found_in_a_list()
    {
        using var page = JsonDocument.Parse("""{"sessions":[{"id":1},{"id":2}],"next":"5.3"}""");

        Assert.Equal(2, ApiPages.RowsOf(page.RootElement).Count());
        Assert.Equal("5.3", ApiPages.NextOf(page.RootElement));
    }

    [Theory]
    [InlineData("AB:", 32, true)]
    [InlineData("ab", 32, true)]
    [InlineData("ab", 31, false)]
    [InlineData("xy", 32, false)]
    public void A_fingerprint_is_64_hex_digits(string digits, int times, bool isOne) =>
        Assert.Equal(isOne ? string.Concat(Enumerable.Repeat("ab", 32)) : null, CertificatePin.Normalize(string.Concat(Enumerable.Repeat(digits, times))));

    [Fact]
    public void Without_a_certificate_nobody_is_believed() => Assert.False(new CertificatePin(null).Accepts(null, SslPolicyErrors.RemoteCertificateNotAvailable));

    private static string Table(string format, string rows)
    {
        using var document = JsonDocument.Parse(rows);
        using StringWriter output = new();
        ApiTable.Write(output, format, document.RootElement, ApiPages.RowsOf(document.RootElement), _columns);
        return output.ToString();
    }
}
