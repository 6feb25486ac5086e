using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace NftCluster.Tests.Node.Uplink;

/// <summary>A CA of one test's own, and certificates of both kinds.</summary>
internal sealed class TestAuthority
{
    public const string Server = "1.3.6.1.5.5.7.3.1";
    public const string Client = "1.3.6.1.5.5.7.3.2";

    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public TestAuthority(DateTimeOffset? from = null)
    {
        From = from ?? DateTimeOffset.UtcNow.AddDays(-1);
        CertificateRequest request = new("CN=test CA", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        Certificate = request.CreateSelfSigned(From, From.AddYears(10));
    }

    public DateTimeOffset From { get; }

    public X509Certificate2 Certificate { get; }

    public string Sha256 => Convert.ToHexStringLower(SHA256.HashData(Certificate.RawData));

    public X509Certificate2 Issue(string name, PublicKey key, string purpose)
    {
        CertificateRequest request = new(new X500DistinguishedName($"CN={name}"), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(purpose)], true));
        return request.Create(Certificate, From, From.AddYears(5), RandomNumberGenerator.GetBytes(8));
    }

    public X509Certificate2 IssueWithKey(string name, string purpose)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 bare = Issue(name, new PublicKey(key), purpose);
        return bare.CopyWithPrivateKey(key);
    }
}
