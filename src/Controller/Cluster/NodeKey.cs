using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using NftCluster.Controller.Sessions;

namespace NftCluster.Controller.Cluster;

/// <summary>A certificate request that was checked: signed by the key in it, and that key is one we sign.</summary>
internal sealed record NodeKey(CertificateRequest Request, string Hash)
{
    private const int MostCharacters = 8192;

    /// <summary>Every mistake in it is the sender's, and one line.</summary>
    public static Result<NodeKey> Parse(string csrPem)
    {
        if (csrPem.Length > MostCharacters)
        {
            return Invalid($"a request of {csrPem.Length} characters: at most {MostCharacters}");
        }
        try
        {
            // Loading checks the signature: who sends it holds the key.
            var request = CertificateRequest.LoadSigningRequestPem(csrPem, HashAlgorithmName.SHA256, CertificateRequestLoadOptions.Default, RSASignaturePadding.Pkcs1);
            using ECDsa? key = request.PublicKey.GetECDsaPublicKey();
            return key is { KeySize: >= 256 }
                ? new NodeKey(request, Convert.ToHexStringLower(SHA256.HashData(request.PublicKey.ExportSubjectPublicKeyInfo())))
                : Invalid("only ECDSA keys of 256 bits and more are signed here");
        }
        catch (Exception malformed) when (malformed is CryptographicException or ArgumentException or NotSupportedException)
        {
            return Invalid("not a certificate request in PEM that is signed by its own key");
        }
    }

    private static CommandError Invalid(string text) => new(CommandError.Invalid, "csr_pem", text);
}
