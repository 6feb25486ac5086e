using System.Security.Cryptography.X509Certificates;

namespace NftCluster.Controller.Cluster;

/// <summary>A certificate's bounds, in UTC and with their type saying so.</summary>
internal static class CertificateTimes
{
    public static DateTimeOffset Begins(this X509Certificate2 certificate) => new(certificate.NotBefore.ToUniversalTime());

    public static DateTimeOffset Ends(this X509Certificate2 certificate) => new(certificate.NotAfter.ToUniversalTime());
}
