using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace NftCluster.Controller.Cluster;

/// <summary>The secret half of a join token: made here, and then kept as a hash only.</summary>
internal static class JoinSecret
{
    private const int SecretBytes = 32;

    public static string New() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes));

    /// <summary>What is stored: who reads the database cannot join with it.</summary>
    public static string HashOf(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));
}
