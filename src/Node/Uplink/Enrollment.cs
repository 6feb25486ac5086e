using System.Diagnostics.CodeAnalysis;
using System.Net.Http.Json;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using NftCluster.Messages.Link;

namespace NftCluster.Node.Uplink;

/// <summary>
/// Joining and renewing. (1) GET /ca from whoever answers; (2) only when that CA is the one whose hash the token names, and
/// (3) the TLS chain ends in it, the secret and the certificate request are sent.
/// </summary>
internal sealed class Enrollment(NodeIdentity identity, TimeProvider time)
{
    private const int MostAnswerBytes = 256 << 10;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    /// <summary>Throws <see cref="UplinkException"/> with one line.</summary>
    public async Task JoinAsync(ControllerAddress controller, JoinToken token, string name, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        X509Certificate2Collection roots = await PinnedAsync(controller, token, cancellationToken);
        ControllerTrust trust = new(roots, time);
        using HttpClient client = Client(trust, null);
        using ECDsa key = identity.JoiningKey();
        JoinRequest request = new()
        {
            Secret = token.Secret,
            Name = name,
            Labels = labels,
            CsrPem = NodeIdentity.RequestFor(key, name),
            KeyId = NodeIdentity.KeyIdOf(key),
        };
        JoinAnswer answer = await PostAsync(client, trust, controller.At("/join"), request, JoinJson.Default.JoinRequest, cancellationToken);
        NodeIdentity.Check(key, answer);
        identity.Joined(controller, answer);
    }

    public async Task RenewAsync(ControllerAddress controller, string name, CancellationToken cancellationToken)
    {
        ControllerTrust trust = new(identity.Roots(), time);
        using X509Certificate2 current = identity.Certificate();
        using HttpClient client = Client(trust, current);
        using ECDsa key = identity.JoiningKey();
        RenewRequest request = new() { CsrPem = NodeIdentity.RequestFor(key, name) };
        JoinAnswer answer = await PostAsync(client, trust, controller.At("/renew"), request, JoinJson.Default.RenewRequest, cancellationToken);
        NodeIdentity.Check(key, answer);
        identity.Renewed(answer);
    }

    [SuppressMessage("Security", "CA5359", Justification = "Public data, proved by the token's hash; nothing is sent.")]
    private static async Task<X509Certificate2Collection> PinnedAsync(ControllerAddress controller, JoinToken token, CancellationToken cancellationToken)
    {
        using SocketsHttpHandler handler = new() { SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = AnybodyForPublicData } };
        using HttpClient client = new(handler) { Timeout = _patience, MaxResponseContentBufferSize = MostAnswerBytes };
        X509Certificate2Collection shown = [];
        try
        {
            shown.ImportFromPem(await client.GetStringAsync(controller.At("/ca"), cancellationToken));
        }
        catch (Exception failure) when (failure is HttpRequestException or CryptographicException || IsTimeout(failure, cancellationToken))
        {
            throw new UplinkException($"no controller answers at {controller}: {Reason(failure)}", cause: failure);
        }
        return shown.Any(ca => Convert.ToHexStringLower(SHA256.HashData(ca.RawData)) == token.CaSha256)
            ? [.. shown.Where(ca => Convert.ToHexStringLower(SHA256.HashData(ca.RawData)) == token.CaSha256)]
            : throw new UplinkException($"{controller} is not the controller that made this token: its CA is another. The token's secret was not sent", isFinal: true);
    }

    /// <summary>Nothing is believed here but what the token's hash proves, and nothing is sent.</summary>
    private static bool AnybodyForPublicData(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) => true;

    private static HttpClient Client(ControllerTrust trust, X509Certificate2? own)
    {
        SslClientAuthenticationOptions options = new() { RemoteCertificateValidationCallback = trust.Validate };
        if (own is not null)
        {
            options.ClientCertificates = [own];
        }
        return new HttpClient(new SocketsHttpHandler { SslOptions = options }) { Timeout = _patience, MaxResponseContentBufferSize = MostAnswerBytes };
    }

    private static async Task<JoinAnswer> PostAsync<T>(HttpClient client, ControllerTrust trust, Uri to, T body, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        try
        {
            using HttpResponseMessage response = await client.PostAsync(to, JsonContent.Create(body, type), cancellationToken);
            if (response.IsSuccessStatusCode)
            {
                return await response.Content.ReadFromJsonAsync(JoinJson.Default.JoinAnswer, cancellationToken) ?? throw new UplinkException("the controller's answer is empty");
            }
            bool isFinal = (int)response.StatusCode is >= 400 and < 500 and not 408 and not 429;
            throw new UplinkException($"the controller refuses: {await ProblemAsync(response, cancellationToken)}", isFinal);
        }
        catch (JsonException malformed)
        {
            throw new UplinkException($"what answers at {to.GetLeftPart(UriPartial.Authority)} does not answer as a controller: {malformed.Message.ReplaceLineEndings(" ")}", cause: malformed);
        }
        catch (Exception failure) when (failure is HttpRequestException || IsTimeout(failure, cancellationToken))
        {
            throw new UplinkException($"cannot reach the controller at {to.GetLeftPart(UriPartial.Authority)}: {trust.Refusal ?? Reason(failure)}", cause: failure);
        }
    }

    private static async Task<string> ProblemAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            JoinProblem? problem = JsonSerializer.Deserialize(await response.Content.ReadAsStringAsync(cancellationToken), JoinJson.Default.JoinProblem);
            return (problem?.Detail ?? problem?.Title)?.ReplaceLineEndings(" ") ?? $"HTTP {(int)response.StatusCode}";
        }
        catch (JsonException)
        {
            return $"HTTP {(int)response.StatusCode}"; // somebody else's page in between
        }
    }

    private static bool IsTimeout(Exception failure, CancellationToken cancellationToken) => failure is TaskCanceledException && !cancellationToken.IsCancellationRequested;

    private static string Reason(Exception failure) => failure is TaskCanceledException ? "no answer in time"
        : (failure.InnerException?.Message ?? failure.Message).ReplaceLineEndings(" ");
}
