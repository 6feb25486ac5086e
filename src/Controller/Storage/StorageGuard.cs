using Microsoft.Data.Sqlite;

namespace NftCluster.Controller.Storage;

/// <summary>SQLite's refusals as <see cref="StorageException"/>: one line. A broken constraint is the caller's business.</summary>
internal static class StorageGuard
{
    private const int Constraint = 19;

    /// <summary>A name or a hash that may be there only once is there.</summary>
    public static bool IsTaken(SqliteException refused) => refused.SqliteErrorCode == Constraint;

    public static T Run<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (SqliteException refused) when (!IsTaken(refused))
        {
            throw new StorageException(SqliteText.Explain(refused), refused);
        }
    }
}
