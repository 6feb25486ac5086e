namespace NftCluster.Node.Sessions;

internal enum SessionState
{
    Created,
    Starting,
    Running,
    Stopping,
    Exporting,
    Stopped,
    Failed,
}

/// <summary>The states of design §6 and the only ways between them; FAILED can come from any state but the two ends.</summary>
internal sealed class SessionStateMachine
{
    public SessionState State { get; private set; } = SessionState.Created;

    public string? FailureReason { get; private set; }

    public bool IsOver => State is SessionState.Stopped or SessionState.Failed;

    public void Advance(SessionState next)
    {
        bool allowed = next switch
        {
            SessionState.Starting => State == SessionState.Created,
            SessionState.Running => State == SessionState.Starting,
            SessionState.Stopping => State is SessionState.Running,
            SessionState.Exporting => State == SessionState.Stopping,
            SessionState.Stopped => State == SessionState.Exporting,
            _ => false,
        };
        State = allowed ? next : throw new InvalidOperationException($"a session cannot go from {NameOf(State)} to {NameOf(next)}");
    }

    /// <summary>False when the session is over already: the first reason stays.</summary>
    public bool Fail(string reason)
    {
        if (IsOver)
        {
            return false;
        }
        State = SessionState.Failed;
        FailureReason = reason;
        return true;
    }

    public static string NameOf(SessionState state) => state.ToString().ToUpperInvariant();
}
