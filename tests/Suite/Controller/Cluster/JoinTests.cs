using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using NftCluster.Controller.Cluster;
using NftCluster.Messages.Link;

namespace NftCluster.Tests.Controller.Cluster;

public sealed class JoinTests : IAsyncLifetime
{
    private RunningController _controller = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _controller = await RunningController.StartAsync();

    public ValueTask DisposeAsync() => _controller.DisposeAsync();

    [Fact]
    public async Task The_token_names_the_CA_that_the_controller_shows()
    {
        JoinToken token = await _controller.TokenAsync();
        using HttpClient client = _controller.Client();
        using var shown = X509Certificate2.CreateFromPem(await client.GetStringAsync(new Uri("/ca", UriKind.Relative), Token));
        Assert.Equal(token.CaSha256, Convert.ToHexStringLower(SHA256.HashData(shown.RawData)));
    }

    [Fact]
    public async Task A_node_joins_and_is_listed_with_its_certificates_end()
    {
        using ScriptedNode node = await ScriptedNode.JoinAsync(_controller, "r1");
        NodeView view = await _controller.NodeAsync("r1");
        Assert.Equal((node.Id, NodeView.Offline), (view.Id, view.State));
        Assert.Equal(new DateTimeOffset(node.Certificate.NotAfter.ToUniversalTime()), view.CertificateEnds);
    }

    [Fact]
    public async Task A_certificate_begins_before_now_so_that_a_slow_clock_takes_it()
    {
        using ScriptedNode node = await ScriptedNode.JoinAsync(_controller, "r1");
        Assert.True(node.Certificate.NotBefore.ToUniversalTime() <= TimeProvider.System.GetUtcNow().UtcDateTime.AddMinutes(-50));
    }

    [Fact]
    public async Task The_same_key_gets_the_same_answer_again_also_when_the_token_is_used_up()
    {
        JoinToken token = await _controller.TokenAsync(uses: 1);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        JoinRequest request = ScriptedNode.Request(key, token.Secret, "r1");
        Assert.Equal((await AnswerAsync(request)).CertificatePem, (await AnswerAsync(request)).CertificatePem);
    }

    [Fact]
    public async Task A_replayed_token_lets_no_other_key_in()
    {
        JoinToken token = await _controller.TokenAsync(uses: 1);
        using ScriptedNode first = await ScriptedNode.JoinAsync(_controller, "r1", token);
        await RefusedAsync("r2", token.Secret, HttpStatusCode.Forbidden, "used up");
    }

    [Fact]
    public Task An_unknown_token_is_refused() => RefusedAsync("r1", "AAAA", HttpStatusCode.Forbidden, "unknown here");

    [Fact]
    public async Task A_name_that_another_node_has_is_refused_and_costs_no_use_of_the_token()
    {
        JoinToken token = await _controller.TokenAsync(uses: 2);
        using ScriptedNode first = await ScriptedNode.JoinAsync(_controller, "r1", token);
        await RefusedAsync("r1", token.Secret, HttpStatusCode.Conflict, "another node is called 'r1'");
        using ScriptedNode second = await ScriptedNode.JoinAsync(_controller, "r2", token);
    }

    [Theory]
    [InlineData("../etc")]
    [InlineData("a b")]
    [InlineData("")]
    [InlineData("r1\u001b[2J")]
    [InlineData("'; DROP TABLE journal; --")]
    public async Task A_name_that_is_no_name_is_refused(string name) =>
        await RefusedAsync(name, (await _controller.TokenAsync()).Secret, HttpStatusCode.BadRequest, "a node's name has");

    [Fact]
    public async Task A_request_signed_by_another_key_is_refused()
    {
        JoinToken token = await _controller.TokenAsync();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        JoinRequest request = ScriptedNode.Request(key, token.Secret, "r1");
        byte[] der = Convert.FromBase64String(string.Concat(request.CsrPem.Split('\n').Where(line => !line.StartsWith('-'))));
        der[^1] ^= 1;
        await RefusedAsync(request with { CsrPem = new string(PemEncoding.Write("CERTIFICATE REQUEST", der)) }, HttpStatusCode.BadRequest, "not a certificate request");
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("""{"secret":null,"name":null,"labels":null,"csr_pem":null,"key_id":null}""")]
    [InlineData("""{"secret":1}""")]
    public async Task What_is_no_join_request_is_the_senders_mistake(string body)
    {
        using HttpClient client = _controller.Client();
        using HttpResponseMessage response = await client.PostAsync(new Uri("/join", UriKind.Relative), new StringContent(body, Encoding.UTF8, "application/json"), Token);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public async Task A_request_of_a_megabyte_is_not_read()
    {
        using HttpClient client = _controller.Client();
        using HttpResponseMessage response = await client.PostAsync(new Uri("/join", UriKind.Relative), new StringContent(new string(' ', 1 << 20)), Token);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
    }

    [Fact]
    public async Task Tokens_and_nodes_are_known_after_a_restart()
    {
        JoinToken token = await _controller.TokenAsync(uses: 2);
        using ScriptedNode first = await ScriptedNode.JoinAsync(_controller, "r1", token);
        await _controller.RestartAsync();
        using ScriptedNode second = await ScriptedNode.JoinAsync(_controller, "r2", token);
        await first.ConnectAsync();
        await RefusedAsync("r3", token.Secret, HttpStatusCode.Forbidden, "used up");
    }

    [Fact]
    public async Task A_certificate_is_renewed_for_whom_it_names()
    {
        using ScriptedNode node = await ScriptedNode.JoinAsync(_controller, "r1");
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using HttpClient client = _controller.Client(node.Certificate);
        using HttpResponseMessage response = await client.PostAsJsonAsync("/renew", new RenewRequest { CsrPem = ScriptedNode.Request(key, "", "other").CsrPem }, JoinJson.Default.RenewRequest, Token);
        JoinAnswer answer = (await response.Content.ReadFromJsonAsync(JoinJson.Default.JoinAnswer, Token))!;
        using var renewed = X509Certificate2.CreateFromPem(answer.CertificatePem);
        Assert.Equal((node.Id, $"CN={node.Id}"), (answer.NodeId, renewed.Subject));
    }

    [Fact]
    public async Task Nobody_renews_without_a_certificate()
    {
        using HttpClient client = _controller.Client();
        using HttpResponseMessage response = await client.PostAsJsonAsync("/renew", new RenewRequest { CsrPem = "" }, JoinJson.Default.RenewRequest, Token);
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
    }

    [Fact]
    public async Task A_certificate_of_another_CA_ends_the_handshake()
    {
        using X509Certificate2 otherCa = CertificateAuthority.Create(TimeProvider.System);
        using CertificateAuthority other = new([otherCa], TimeSpan.FromDays(1), TimeProvider.System);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 forged = other.IssueNode("r1", new CertificateRequest("CN=x", key, HashAlgorithmName.SHA256));
        using X509Certificate2 shown = ScriptedNode.WithKey(forged.ExportCertificatePem(), key);
        using HttpClient client = _controller.Client(shown);
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync(new Uri("/link", UriKind.Relative), Token));
    }

    private async Task<JoinAnswer> AnswerAsync(JoinRequest request)
    {
        using HttpClient client = _controller.Client();
        using HttpResponseMessage response = await client.PostAsJsonAsync("/join", request, JoinJson.Default.JoinRequest, Token);
        return (await response.Content.ReadFromJsonAsync(JoinJson.Default.JoinAnswer, Token))!;
    }

    private async Task RefusedAsync(string name, string secret, HttpStatusCode status, string text)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await RefusedAsync(ScriptedNode.Request(key, secret, name), status, text);
    }

    private async Task RefusedAsync(JoinRequest request, HttpStatusCode status, string text)
    {
        using HttpClient client = _controller.Client();
        using HttpResponseMessage response = await client.PostAsJsonAsync("/join", request, JoinJson.Default.JoinRequest, Token);
        string body = await response.Content.ReadAsStringAsync(Token);
        Assert.True(status == response.StatusCode, body);
        Assert.Contains(text, System.Text.RegularExpressions.Regex.Unescape(body), StringComparison.Ordinal);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
    }
}
