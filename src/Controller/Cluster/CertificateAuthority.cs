using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace NftCluster.Controller.Cluster;

/// <summary>The CA of the nodes, and while one is replaced its predecessor: signs, and says who is trusted.</summary>
internal sealed class CertificateAuthority : IDisposable
{
    /// <summary>Clocks of nodes may be behind by this much and a fresh certificate is valid all the same.</summary>
    public static readonly TimeSpan Backdate = TimeSpan.FromHours(1);

    private readonly TimeProvider _time;
    private readonly TimeSpan _nodeLifetime;
    private readonly List<X509Certificate2> _trusted;

    /// <summary>With their keys, the signing one first; the others are trusted still.</summary>
    public CertificateAuthority(IEnumerable<X509Certificate2> signers, TimeSpan nodeLifetime, TimeProvider time)
    {
        _trusted = [.. signers];
        _nodeLifetime = nodeLifetime;
        _time = time;
        X509Certificate2 signer = _trusted[0];
        DateTimeOffset now = time.GetUtcNow();
        if (now < signer.Begins() || now > signer.Ends())
        {
            throw new ClusterException(now < signer.Begins()
                ? $"this host's clock says {now:yyyy-MM-dd HH:mm}Z, but the cluster's CA was made on {signer.Begins():yyyy-MM-dd}: set the clock, then start again"
                : $"the cluster's CA ended on {signer.Ends():yyyy-MM-dd} (this host's clock says {now:yyyy-MM-dd HH:mm}Z): replace it, every node must join again");
        }
    }

    /// <summary>SHA-256 of the anchor's DER, in lower-case hex: what tokens carry.</summary>
    public string Sha256 => Convert.ToHexStringLower(SHA256.HashData(Anchor.RawData));

    /// <summary>All that are trusted, the anchor first.</summary>
    public string BundlePem => string.Join('\n', Enumerable.Reverse(_trusted).Select(certificate => certificate.ExportCertificatePem())) + "\n";

    /// <summary>While a CA is replaced the old one vouches for the controller: nodes that were away know no other.</summary>
    private X509Certificate2 Anchor => _trusted[^1];

    /// <summary>A new CA with its key, valid for ten years.</summary>
    public static X509Certificate2 Create(TimeProvider time)
    {
        DateTimeOffset now = PlausibleNow(time);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN=NftCluster node CA {Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return request.CreateSelfSigned(now - Backdate, now.AddYears(10));
    }

    /// <summary>A host that booted with the clock of 1970 must not make certificates that end before they begin.</summary>
    public static DateTimeOffset PlausibleNow(TimeProvider time)
    {
        DateTimeOffset now = time.GetUtcNow();
        return now.Year >= 2025 ? now : throw new ClusterException($"this host's clock says {now:yyyy-MM-dd HH:mm}Z, which cannot be: set it (NTP), then start again; certificates made now would not be valid for anybody else");
    }

    /// <summary>For the node port: proves that this is the controller, and nothing else (a node's certificate cannot).</summary>
    public X509Certificate2 IssueServer()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=nftcluster-controller", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName("nftcluster-controller");
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 bare = Issue(Anchor, request, "1.3.6.1.5.5.7.3.1", TimeSpan.FromDays(825));
        using X509Certificate2 withKey = bare.CopyWithPrivateKey(key);
        // SslStream wants a key that is not bound to an object of ours.
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
    }

    /// <summary>Of the request only the key is taken: names and rights in it are nobody's to ask for.</summary>
    public X509Certificate2 IssueNode(string nodeId, CertificateRequest asked)
    {
        CertificateRequest request = new(new X500DistinguishedName($"CN={nodeId}"), asked.PublicKey, HashAlgorithmName.SHA256);
        return Issue(_trusted[0], request, "1.3.6.1.5.5.7.3.2", _nodeLifetime);
    }

    /// <summary>Long before the end: a controller that is away for weeks does not cost a node its certificate.</summary>
    public static DateTimeOffset RenewAfter(X509Certificate2 certificate, TimeProvider time)
    {
        DateTimeOffset now = time.GetUtcNow();
        return now + ((certificate.Ends() - now) / 3);
    }

    /// <summary>Signed by the CA that is being replaced: to be renewed now.</summary>
    public bool IsOutgoing(X509Certificate2 certificate) => !certificate.IssuerName.RawData.AsSpan().SequenceEqual(_trusted[0].SubjectName.RawData);

    /// <summary>Signed by a CA that is trusted, and meant for nodes. Its end is asked about later, where the answer can be said in words.</summary>
    public bool IsNode(X509Certificate2 certificate)
    {
        using X509Chain chain = new();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_trusted.ToArray());
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.VerificationFlags = X509VerificationFlags.IgnoreNotTimeValid;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.2"));
        return chain.Build(certificate);
    }

    public void Dispose() => _trusted.ForEach(certificate => certificate.Dispose());

    private X509Certificate2 Issue(X509Certificate2 signer, CertificateRequest request, string purpose, TimeSpan lifetime)
    {
        DateTimeOffset now = _time.GetUtcNow();
        DateTimeOffset from = Latest(now - Backdate, signer.Begins());
        DateTimeOffset until = now + lifetime;
        DateTimeOffset caEnds = signer.Ends();
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(purpose)], critical: true));
        byte[] serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x7f) | 0x40);
        return request.Create(signer, from, until < caEnds ? until : caEnds, serial);
    }

    private static DateTimeOffset Latest(DateTimeOffset one, DateTimeOffset other) => one > other ? one : other;
}
