using System.Security.Claims;

namespace NftCluster.Controller.Auth;

/// <summary>Who asks, as the request's token and the account say it now.</summary>
internal static class Caller
{
    public const string RoleClaim = "role";
    public const string FirstLoginClaim = "first_login";
    private const string NameClaim = "name";

    public static ClaimsIdentity Identity(string scheme, string id, string name, string role, bool firstLogin)
    {
        ClaimsIdentity identity = new(scheme, NameClaim, RoleClaim);
        identity.AddClaim(new Claim("sub", id));
        identity.AddClaim(new Claim(NameClaim, name));
        identity.AddClaim(new Claim(RoleClaim, role));
        if (firstLogin)
        {
            identity.AddClaim(new Claim(FirstLoginClaim, "true"));
        }
        return identity;
    }

    public static string IdOf(ClaimsPrincipal caller) => caller.FindFirstValue("sub") ?? "";

    public static string NameOf(ClaimsPrincipal caller) => caller.Identity?.Name ?? "";

    /// <summary>May keep payload, and see what was kept.</summary>
    public static bool MayInspect(ClaimsPrincipal caller) => Roles.AtLeast(Roles.Inspector).Any(caller.IsInRole);

    public static bool IsAdmin(ClaimsPrincipal caller) => caller.IsInRole(Roles.Admin);
}
