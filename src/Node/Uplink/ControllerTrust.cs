using System.Globalization;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace NftCluster.Node.Uplink;

/// <summary>
/// Whom the node takes for its controller: who shows a server's certificate that one of the pinned CAs signed. Host names are not
/// compared: nodes reach a controller by addresses it does not know of, and the CA signs nobody else's server.
/// </summary>
internal sealed class ControllerTrust(X509Certificate2Collection roots, TimeProvider time)
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    /// <summary>Why the last certificate was refused, one line; null when it was not.</summary>
    public string? Refusal { get; private set; }

    public bool Validate(object sender, X509Certificate? shown, X509Chain? with, SslPolicyErrors errors)
    {
        Refusal = null;
        if (shown is null)
        {
            Refusal = "the controller shows no certificate";
            return false;
        }
        using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(shown.Export(X509ContentType.Cert));
        using X509Chain chain = new();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(roots);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationTime = time.GetUtcNow().UtcDateTime;
        chain.ChainPolicy.ApplicationPolicy.Add(new System.Security.Cryptography.Oid(ServerAuthentication));
        foreach (X509ChainElement element in with?.ChainElements ?? Enumerable.Empty<X509ChainElement>())
        {
            chain.ChainPolicy.ExtraStore.Add(element.Certificate);
        }
        if (chain.Build(certificate))
        {
            return true;
        }
        X509ChainStatusFlags why = chain.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (all, one) => all | one.Status);
        Refusal = (why & ~X509ChainStatusFlags.NotTimeValid) == 0 ? Outside(certificate)
            : (why & X509ChainStatusFlags.NotValidForUsage) != 0 ? "whoever answers shows a certificate that is not a server's: it is not the controller"
            : "whoever answers shows a certificate that this controller's CA has not signed: wrong address, or another controller";
        return false;
    }

    private string Outside(X509Certificate2 certificate)
    {
        DateTimeOffset now = time.GetUtcNow();
        string valid = string.Create(CultureInfo.InvariantCulture, $"the controller's certificate is valid from {certificate.NotBefore.ToUniversalTime():yyyy-MM-dd HH:mm} to {certificate.NotAfter.ToUniversalTime():yyyy-MM-dd HH:mm} UTC, this host's clock says {now:yyyy-MM-dd HH:mm}");
        return now.UtcDateTime < certificate.NotBefore.ToUniversalTime() ? $"{valid}: set this host's clock" : $"{valid}: it has ended, or this host's clock is ahead";
    }
}
