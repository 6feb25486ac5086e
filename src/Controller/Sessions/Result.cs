namespace NftCluster.Controller.Sessions;

/// <summary>What a command led to: its value, or why it was refused.</summary>
internal sealed record Result<T>(T? Value, CommandError? Error)
    where T : class
{
    public static implicit operator Result<T>(T value) => new(value, null);

    public static implicit operator Result<T>(CommandError error) => new(null, error);
}

/// <summary>An expected refusal. <paramref name="Field"/> is the part of the request that is wrong, in the API's spelling; <paramref name="Text"/> is one line that says what would be right.</summary>
internal sealed record CommandError(string Code, string? Field, string Text)
{
    public const string NotFound = "not-found";
    public const string Conflict = "conflict";
    public const string Invalid = "invalid";
    public const string Forbidden = "forbidden";
    public const string Unavailable = "unavailable";
}

/// <summary>It is done, and there is nothing to say about it.</summary>
internal sealed record Done
{
    public static Done It { get; } = new();
}
