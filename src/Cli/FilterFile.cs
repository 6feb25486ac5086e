using NftCluster.Actors;
using NftCluster.Node.Sessions;

namespace NftCluster.Cli;

/// <summary>A filter that lives in a file: whoever edits it changes the running session, without re-attaching anything.</summary>
internal sealed class FilterFile(string path, TimeProvider time)
{
    private static readonly TimeSpan _period = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);

    public static string Read(string path)
    {
        try
        {
            // Lines that begin with # are remarks.
            return string.Join(' ', File.ReadLines(path).Where(line => !line.TrimStart().StartsWith('#'))).Trim();
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"--filter-file {path} cannot be read: {unreadable.Message}");
        }
    }

    /// <summary>Until cancelled: each change of the text is given to the session, and what came of it is said.</summary>
    public async Task FollowAsync(string current, ActorRef<SessionMessage> session, TextWriter error, CancellationToken cancellationToken)
    {
        using PeriodicTimer timer = new(_period, time);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            string next;
            try
            {
                next = Read(path);
            }
            catch (UsageException)
            {
                continue; // being replaced by an editor, or gone: the filter stays as it is
            }
            if (string.Equals(next, current, StringComparison.Ordinal))
            {
                continue;
            }
            current = next;
            FilterAnswer answer = await session.AskAsync<FilterAnswer>(reply => new ChangeFilter(next, reply), _patience, cancellationToken);
            await error.WriteLineAsync(answer.Error is null ? $"nftcluster: filter is now: {(next.Length == 0 ? "every packet" : next)}" : $"nftcluster: filter kept as it was: {answer.Error}");
        }
    }
}
