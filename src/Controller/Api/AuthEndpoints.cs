using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using NftCluster.Controller.Auth;

namespace NftCluster.Controller.Api;

internal sealed record LoginRequest(string Username, string Password);

internal sealed record RefreshRequest(string RefreshToken);

internal sealed record PasswordRequest(string CurrentPassword, string NewPassword);

/// <summary><c>/api/auth</c>.</summary>
internal static class AuthEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapPost("/auth/login", Login).ForAnybody().RequireRateLimiting(ApiHost.LoginLimit).Produces<TokenAnswer>();
        api.MapPost("/auth/refresh", Refresh).ForAnybody().RequireRateLimiting(ApiHost.LoginLimit).Produces<TokenAnswer>();
        api.MapPost("/auth/logout", Logout).ForAnybody().Produces(StatusCodes.Status204NoContent);
        api.MapGet("/auth/me", Me).For(AuthSetup.SignedIn).Produces<User>();
        api.MapPost("/auth/password", Password).For(AuthSetup.SignedIn).RequireRateLimiting(ApiHost.LoginLimit).Produces<TokenAnswer>();
    }

    private static IResult Login(LoginRequest request, Logins logins, HttpContext context)
    {
        Auditing.Name(context, request.Username);
        return request.Password.Length <= Logins.MostPassword && logins.Login(request.Username, request.Password) is { } answer
            ? Results.Ok(answer)
            : ApiProblem.Unauthorized("user name or password is wrong, or the account is closed for a minute after too many tries");
    }

    private static IResult Refresh(RefreshRequest request, Logins logins) =>
        logins.Renew(request.RefreshToken) is { } answer ? Results.Ok(answer) : ApiProblem.Unauthorized("the refresh token is not known, is over, or was used before: log in again");

    private static IResult Logout(RefreshRequest request, Logins logins)
    {
        logins.Logout(request.RefreshToken);
        return Results.NoContent();
    }

    private static IResult Me(Accounts accounts, HttpContext context) =>
        accounts.Find(Caller.IdOf(context.User)) is { } account ? Results.Ok(account.User) : ApiProblem.NotFound("a service token is no user");

    private static IResult Password(PasswordRequest request, Logins logins, HttpContext context) =>
        request.NewPassword.Length is < Logins.LeastPassword or > Logins.MostPassword ? ApiProblem.Invalid("new_password", $"a password has {Logins.LeastPassword} to {Logins.MostPassword} characters")
        : request.NewPassword == request.CurrentPassword ? ApiProblem.Invalid("new_password", "the new password is the old one")
        : logins.ChangePassword(Caller.IdOf(context.User), request.CurrentPassword, request.NewPassword) is { } answer ? Results.Ok(answer)
        : ApiProblem.Invalid("current_password", "the password until now is another one");
}
