namespace NftCluster.Controller.Auth;

/// <summary>Somebody who may log in, as the API shows it.</summary>
internal sealed record User
{
    public required string Id { get; init; }

    public required string Username { get; init; }

    public string? Email { get; init; }

    public required bool IsActive { get; init; }

    /// <summary>The password was chosen by somebody else: nothing is allowed before it is changed.</summary>
    public required bool FirstLogin { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? LastLogin { get; init; }

    public required string Role { get; init; }
}

/// <summary>What a user may do; each role may do what the ones before it may.</summary>
internal static class Roles
{
    /// <summary>Looks.</summary>
    public const string Viewer = "viewer";

    /// <summary>Runs sessions of its own.</summary>
    public const string Operator = "operator";

    /// <summary>Also sessions that keep bytes of payload, and what is in those.</summary>
    public const string Inspector = "inspector";

    /// <summary>Users, nodes, tokens, everybody's sessions.</summary>
    public const string Admin = "admin";

    public static IReadOnlyList<string> All { get; } = [Viewer, Operator, Inspector, Admin];

    public static bool Exists(string? role) => All.Contains(role, StringComparer.Ordinal);

    public static IEnumerable<string> AtLeast(string role) => All.SkipWhile(known => known != role);
}
