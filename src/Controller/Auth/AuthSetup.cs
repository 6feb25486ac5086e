using System.Globalization;
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.DependencyInjection;
using NftCluster.Controller.Storage;

namespace NftCluster.Controller.Auth;

/// <summary>How long tokens live, and the first admin's password where one is given.</summary>
internal sealed record AuthOptions
{
    public TimeSpan AccessTokenLifetime { get; init; } = TimeSpan.FromHours(24);

    public TimeSpan RefreshTokenLifetime { get; init; } = TimeSpan.FromDays(30);

    /// <summary>A file whose first line is the first admin's password; null = a random one is printed once.</summary>
    public string? AdminPasswordFile { get; init; }
}

/// <summary>Schemes and policies of the web port. A policy is named like the least role that passes it.</summary>
internal static class AuthSetup
{
    /// <summary>Anybody who is logged in, also before the first password is changed.</summary>
    public const string SignedIn = "signed-in";

    private const string Either = "either";

    public static void AddAuth(this IServiceCollection services, Database database, AuthOptions options, TimeProvider time)
    {
        Accounts accounts = new(database, time);
        SigningKeys keys = new(database, time, options.AccessTokenLifetime);
        AccessTokens access = new(keys, time, options.AccessTokenLifetime);
        services.AddSingleton(time).AddSingleton(accounts).AddSingleton(access)
            .AddSingleton(new Logins(accounts, new RefreshTokens(database, time, options.RefreshTokenLifetime), access, time))
            .AddSingleton(new ServiceTokens(database, time)).AddSingleton(new AuditLog(database, time));
        services.AddSingleton<Microsoft.AspNetCore.DataProtection.IDataProtectionProvider>(new Microsoft.AspNetCore.DataProtection.EphemeralDataProtectionProvider()); // for cookies, of which there are none: no keys on the disk
        services.AddAuthentication(Either)
            .AddPolicyScheme(Either, null, either => either.ForwardDefaultSelector = context =>
                context.Request.Headers.Authorization.ToString().Contains(ServiceTokens.Prefix, StringComparison.Ordinal) ? ServiceTokenHandler.SchemeName : JwtBearerDefaults.AuthenticationScheme)
            .AddScheme<AuthenticationSchemeOptions, ServiceTokenHandler>(ServiceTokenHandler.SchemeName, null)
            .AddJwtBearer(bearer =>
            {
                bearer.MapInboundClaims = false;
                bearer.TokenValidationParameters = access.Validation;
                bearer.Events = new JwtBearerEvents { OnTokenValidated = context => CompareAsync(context, accounts) };
            });
        services.AddAuthorization(authorization =>
        {
            authorization.AddPolicy(SignedIn, policy => policy.RequireAuthenticatedUser());
            foreach (string role in Roles.All)
            {
                authorization.AddPolicy(role, policy => policy.RequireRole(Roles.AtLeast(role)).RequireAssertion(HasOwnPassword));
            }
        });
    }

    private static bool HasOwnPassword(AuthorizationHandlerContext context) => !context.User.HasClaim(claim => claim.Type == Caller.FirstLoginClaim);

    /// <summary>A token says who; what that user may do, and whether at all, the account says.</summary>
    private static Task CompareAsync(TokenValidatedContext context, Accounts accounts)
    {
        string? id = context.Principal?.FindFirstValue("sub");
        if (id is null || accounts.Find(id) is not { User.IsActive: true } account || context.Principal?.FindFirstValue(AccessTokens.VersionClaim) != account.Version.ToString(CultureInfo.InvariantCulture))
        {
            context.Fail("the token is over");
            return Task.CompletedTask;
        }
        context.Principal = new ClaimsPrincipal(Caller.Identity(context.Scheme.Name, id, account.User.Username, account.User.Role, account.User.FirstLogin));
        return Task.CompletedTask;
    }
}
