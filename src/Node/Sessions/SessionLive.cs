using NftCluster.Actors;

namespace NftCluster.Node.Sessions;

/// <summary>A session's live side: its lane, who waits for its end, and how it ended.</summary>
internal sealed class SessionLive
{
    private readonly List<ActorRef<LiveEnded>> _waiting = [];
    private string? _failure;

    /// <summary>Null = the session has no live output.</summary>
    public LiveLane? Lane { get; private init; }

    public bool IsOver { get; private set; }

    public static SessionLive None() => new() { IsOver = true };

    public static SessionLive With(LiveLane lane) => new() { Lane = lane };

    public void Await(ActorRef<LiveEnded> asker)
    {
        _waiting.Add(asker);
        Answer();
    }

    /// <summary>The first failure stays.</summary>
    public void Failed(string failure) => _failure ??= failure;

    public void End(string? failure)
    {
        _failure ??= failure;
        IsOver = true;
        Answer();
    }

    private void Answer()
    {
        if (IsOver)
        {
            _waiting.ForEach(asker => asker.Tell(new LiveEnded(_failure)));
            _waiting.Clear();
        }
    }
}
