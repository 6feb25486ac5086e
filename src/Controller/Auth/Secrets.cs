using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace NftCluster.Controller.Auth;

/// <summary>Random secrets as text, and what of them is stored.</summary>
internal static class Secrets
{
    private const int Bytes = 32;

    /// <summary>256 random bits in base64url, behind a prefix that says what it is.</summary>
    public static string Make(string prefix) => prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(Bytes));

    /// <summary>A random secret needs no salt and no stretching.</summary>
    public static byte[] Hash(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));
}
