using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace NftCluster.Controller.Cluster;

/// <summary><c>NFT1.&lt;sha256 of the CA&gt;.&lt;secret&gt;</c>: whom a node may trust, and why it may join.</summary>
internal static class JoinToken
{
    public const string Prefix = "NFT1";

    private const int SecretBytes = 32;

    public static string NewSecret() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes));

    public static string Format(string caSha256, string secret) => $"{Prefix}.{caSha256}.{secret}";

    /// <summary>What is stored: who reads the database cannot join with it.</summary>
    public static string HashOf(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));
}
