using System.Diagnostics.CodeAnalysis;

namespace NftCluster.Messages.Link;

/// <summary>What a node is given to join: whom to trust (SHA-256 of the CA certificate's DER, lower-case hex), and its secret (base64url).</summary>
public sealed record JoinToken(string CaSha256, string Secret)
{
    private const string Prefix = "NFT1.";
    private const int HashLength = 64;

    public static bool TryParse(string? text, [NotNullWhen(true)] out JoinToken? token)
    {
        token = null;
        if (text is null || !text.StartsWith(Prefix, StringComparison.Ordinal) || text.Split('.') is not [_, { Length: HashLength } hash, { Length: > 0 and <= 128 } secret]
            || !hash.All(char.IsAsciiHexDigitLower) || !secret.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
        {
            return false;
        }
        token = new JoinToken(hash, secret);
        return true;
    }

    /// <summary>The whole token: a secret. Never log it.</summary>
    public string Reveal() => $"{Prefix}{CaSha256}.{Secret}";

    public override string ToString() => $"{Prefix}{CaSha256}.…";
}
