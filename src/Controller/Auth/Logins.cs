using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;
using NftCluster.Messages;

namespace NftCluster.Controller.Auth;

/// <summary>Both tokens, as login and renewal answer them.</summary>
internal sealed record TokenAnswer(string AccessToken, string RefreshToken, string TokenType, long ExpiresIn, bool FirstLogin);

/// <summary>
/// Passwords: PBKDF2 by ASP.NET Core Identity's hasher. An unknown user costs as much time as a wrong password and is answered alike;
/// so is one that is locked: ten wrong passwords in a row close the account for a minute, each further one again.
/// </summary>
internal sealed class Logins(Accounts accounts, RefreshTokens refresh, AccessTokens access, TimeProvider time)
{
    public const int LeastPassword = 10;
    public const int MostPassword = 256;

    private const int MostFailures = 10;
    private static readonly TimeSpan _lockedFor = TimeSpan.FromMinutes(1);
    private static readonly PasswordHasher<string> _hasher = new(Options.Create(new PasswordHasherOptions()));

    /// <summary>Of no password: verified where there is no user.</summary>
    private static readonly Lazy<string> _nobody = new(() => _hasher.HashPassword("", Secrets.Make("")));

    public static string HashOf(string password) => _hasher.HashPassword("", password);

    /// <summary>Null = refused, for whatever reason.</summary>
    public TokenAnswer? Login(string username, string password)
    {
        Account? account = accounts.FindByName(username);
        bool isRight = Verify(account, password);
        long now = TraceTime.UnixNs(time.GetUtcNow());
        if (account is null || account.LockedUntilNs > now || !account.User.IsActive)
        {
            return null;
        }
        if (!isRight)
        {
            accounts.LoginFailed(account.User.Id, account.Failures + 1 >= MostFailures ? now + (_lockedFor.Ticks * 100) : 0);
            return null;
        }
        accounts.LoggedIn(account.User.Id);
        return Answer(account, refresh.Begin(account.User.Id));
    }

    public TokenAnswer? Renew(string token) =>
        refresh.Renew(token) is { } renewed && accounts.Find(renewed.UserId) is { User.IsActive: true } account ? Answer(account, renewed.Next) : null;

    public void Logout(string token) => refresh.End(token);

    /// <summary>False when the password until now is another one. New tokens for who asked; all others are over.</summary>
    public TokenAnswer? ChangePassword(string userId, string current, string chosen)
    {
        Account? account = accounts.Find(userId);
        if (!Verify(account, current) || account is null)
        {
            return null;
        }
        accounts.SetPassword(userId, HashOf(chosen), firstLogin: false);
        return Answer(accounts.Find(userId)!, refresh.Begin(userId));
    }

    private static bool Verify(Account? account, string password) =>
        _hasher.VerifyHashedPassword("", account?.PasswordHash ?? _nobody.Value, password) != PasswordVerificationResult.Failed && account is not null;

    private TokenAnswer Answer(Account account, string refreshToken) => new(access.Make(account), refreshToken, "Bearer", (long)access.Lifetime.TotalSeconds, account.User.FirstLogin);
}
