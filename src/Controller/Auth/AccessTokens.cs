using System.Security.Claims;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace NftCluster.Controller.Auth;

/// <summary>JWTs (RFC 7519, typ at+jwt) that say who somebody is; each request compares them with the account as it is now.</summary>
internal sealed class AccessTokens(SigningKeys keys, TimeProvider time, TimeSpan lifetime)
{
    public const string Issuer = "nftcluster";

    /// <summary>The user's version when it was given: raised, it is over.</summary>
    public const string VersionClaim = "ver";

    private const string Type = "at+jwt";

    private static readonly JsonWebTokenHandler _handler = new() { SetDefaultTimesOnTokenCreation = false, MapInboundClaims = false };

    public TimeSpan Lifetime => lifetime;

    public TokenValidationParameters Validation => new()
    {
        ValidIssuer = Issuer,
        ValidAudience = Issuer,
        ValidTypes = [Type],
        ValidAlgorithms = [SecurityAlgorithms.HmacSha256],
        RequireSignedTokens = true,
        RequireExpirationTime = true,
        ClockSkew = TimeSpan.Zero, // the clock that made it checks it
        IssuerSigningKeyResolver = (_, _, kid, _) => keys.Named(kid),
        LifetimeValidator = (begins, ends, _, _) => ends is { } end && time.GetUtcNow().UtcDateTime < end && (begins is not { } begin || begin <= time.GetUtcNow().UtcDateTime),
        NameClaimType = JwtRegisteredClaimNames.Name,
        RoleClaimType = "role",
    };

    public string Make(Account account)
    {
        DateTime now = time.GetUtcNow().UtcDateTime;
        return _handler.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = Issuer,
            Audience = Issuer,
            TokenType = Type,
            IssuedAt = now,
            Expires = now + lifetime,
            Subject = new ClaimsIdentity([new Claim(JwtRegisteredClaimNames.Sub, account.User.Id), new Claim(VersionClaim, $"{account.Version}", ClaimValueTypes.Integer64)]),
            SigningCredentials = new SigningCredentials(keys.Current(), SecurityAlgorithms.HmacSha256),
        });
    }
}
