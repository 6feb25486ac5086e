using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace NftCluster.Cli.Client;

/// <summary>Whom the command line believes: the certificate with the pinned SHA-256, or, without a pin, one that this system trusts.</summary>
internal sealed class CertificatePin(string? fingerprint)
{
    private static readonly char[] _between = [':', ' '];

    /// <summary>Of the certificate that was shown last.</summary>
    public string? Shown { get; private set; }

    /// <summary>64 hex digits, with or without colons, in lower case; null when it is none.</summary>
    public static string? Normalize(string text)
    {
        string digits = string.Concat(text.Split(_between)).ToLowerInvariant();
        return digits.Length == 64 && digits.All(char.IsAsciiHexDigit) ? digits : null;
    }

    public bool Accepts(X509Certificate? certificate, SslPolicyErrors errors)
    {
        if (certificate is null)
        {
            return false;
        }
        byte[] hash = SHA256.HashData(certificate.GetRawCertData());
        Shown = Convert.ToHexStringLower(hash);
        return fingerprint is null ? errors == SslPolicyErrors.None : CryptographicOperations.FixedTimeEquals(hash, Convert.FromHexString(fingerprint));
    }
}
