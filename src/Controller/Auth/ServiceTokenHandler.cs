using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace NftCluster.Controller.Auth;

/// <summary>Bearer tokens of scripts.</summary>
internal sealed class ServiceTokenHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logs, UrlEncoder encoder, ServiceTokens tokens) : AuthenticationHandler<AuthenticationSchemeOptions>(options, logs, encoder)
{
    public const string SchemeName = "service-token";

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        const string Bearer = "Bearer ";
        string header = Request.Headers.Authorization.ToString();
        if (!header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) || tokens.Find(header[Bearer.Length..].Trim()) is not { } token)
        {
            return Task.FromResult(AuthenticateResult.Fail("no such service token"));
        }
        ClaimsPrincipal caller = new(Caller.Identity(Scheme.Name, token.Id, $"service token {token.Name}", token.Role, firstLogin: false));
        return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(caller, Scheme.Name)));
    }
}
