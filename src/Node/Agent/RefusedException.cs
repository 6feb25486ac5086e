namespace NftCluster.Node.Agent;

/// <summary>A request that this node refuses, with the HTTP status that says so best and one line for the user.</summary>
internal sealed class RefusedException(int status, string message) : Exception(message)
{
    public const int Invalid = 400;
    public const int Forbidden = 403;
    public const int NotFound = 404;
    public const int Conflict = 409;
    public const int TooLarge = 413;
    public const int NotKnown = 501;

    public int Status => status;
}
