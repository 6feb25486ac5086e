using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using NftCluster.Controller.Auth;

namespace NftCluster.Controller.Api;

internal sealed record UserRequest(string Username, string Password, string Role = Roles.Viewer, string? Email = null);

/// <summary>Null = stays.</summary>
internal sealed record UserPatch(string? Role = null, bool? IsActive = null, string? Email = null, string? Password = null);

internal sealed record UserList(IReadOnlyList<User> Users, string? Next);

/// <summary><c>/api/users</c>: for admins.</summary>
internal static partial class UserEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/users", (Accounts accounts) => Results.Ok(new UserList(accounts.All(), null))).For(Roles.Admin).Produces<UserList>();
        api.MapPost("/users", Add).For(Roles.Admin).Produces<User>(StatusCodes.Status201Created).ProducesProblem(409);
        api.MapGet("/users/{id}", (string id, Accounts accounts) => accounts.Find(id) is { } account ? Results.Ok(account.User) : NoUser()).For(Roles.Admin).Produces<User>().ProducesProblem(404);
        api.MapPatch("/users/{id}", Change).For(Roles.Admin).Produces<User>().ProducesProblem(404).ProducesProblem(409);
        api.MapDelete("/users/{id}", Remove).For(Roles.Admin).Produces(StatusCodes.Status204NoContent).ProducesProblem(404).ProducesProblem(409);
    }

    private static IResult Add(UserRequest request, Accounts accounts) =>
        !Name().IsMatch(request.Username) ? ApiProblem.Invalid("username", "1 to 64 letters, digits, dots, dashes or underscores are needed")
        : Complaint(request.Role, request.Password, request.Email) is { } problem ? problem
        : accounts.Add(request.Username, request.Email, request.Role, Logins.HashOf(request.Password), firstLogin: true) is { } user ? Results.Created($"/api/users/{user.Id}", user)
        : ApiProblem.Conflict("there is a user of that name", "username");

    private static IResult Change(string id, UserPatch patch, Accounts accounts)
    {
        if (accounts.Find(id) is null)
        {
            return NoUser();
        }
        if (Complaint(patch.Role, patch.Password, patch.Email) is { } problem)
        {
            return problem;
        }
        if (!accounts.Change(id, patch.Role, patch.IsActive, patch.Email))
        {
            return LastAdmin();
        }
        if (patch.Password is { } password)
        {
            accounts.SetPassword(id, Logins.HashOf(password), firstLogin: true);
        }
        return Results.Ok(accounts.Find(id)!.User);
    }

    private static IResult Remove(string id, Accounts accounts) =>
        accounts.Find(id) is null ? NoUser() : accounts.Remove(id) ? Results.NoContent() : LastAdmin();

    private static IResult? Complaint(string? role, string? password, string? email) =>
        role is not null && !Roles.Exists(role) ? ApiProblem.Invalid("role", $"one of {string.Join(", ", Roles.All)} is needed")
        : password is { Length: < Logins.LeastPassword or > Logins.MostPassword } ? ApiProblem.Invalid("password", $"a password has {Logins.LeastPassword} to {Logins.MostPassword} characters")
        : email is { Length: > 254 } || email?.Any(char.IsControl) == true ? ApiProblem.Invalid("email", "at most 254 characters, none of them a control character")
        : null;

    private static IResult NoUser() => ApiProblem.NotFound("there is no such user");

    private static IResult LastAdmin() => ApiProblem.Conflict("this is the last admin: make another one first");

    [GeneratedRegex(@"\A[A-Za-z0-9._-]{1,64}\z", RegexOptions.None, 1000)]
    private static partial Regex Name();
}
