namespace NftCluster.Node.Spool;

/// <summary>Where the spool lies and how much it may hold; beyond either bound the oldest goes, and a loss record takes its place.</summary>
internal sealed record SpoolOptions
{
    public required string Directory { get; init; }

    public long MostBytes { get; init; } = 1L << 30;

    public TimeSpan MostAge { get; init; } = TimeSpan.FromDays(7);

    public string File => Path.Combine(Directory, "spool.db");
}

/// <summary>The spool cannot be used; the message is one line.</summary>
internal sealed class SpoolException(string message, Exception? cause = null) : Exception(message, cause);
