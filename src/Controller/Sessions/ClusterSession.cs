namespace NftCluster.Controller.Sessions;

/// <summary>
/// One session as its events tell it: what may happen next, and what its nodes are to do. No clock, no I/O: commands answer
/// with the events to store, and <see cref="Apply"/> is the only way that anything changes.
/// </summary>
internal sealed class ClusterSession
{
    public const string Starting = "STARTING";
    public const string Running = "RUNNING";
    public const string Stopping = "STOPPING";
    public const string Stopped = "STOPPED";
    public const string Failed = "FAILED";

    public string Id { get; private set; } = "";

    public string Owner { get; private set; } = "";

    public SessionRequest Request { get; private set; } = new();

    public string State { get; private set; } = "CREATED";

    public bool IsPaused { get; private set; }

    public string? FailureReason { get; private set; }

    public string? StopReason { get; private set; }

    /// <summary>Of what its nodes are to do: not every event raises it.</summary>
    public ulong Generation { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }

    public DateTimeOffset? StartedAt { get; private set; }

    public DateTimeOffset? StoppedAt { get; private set; }

    /// <summary>As it was at the end, for sessions that are over.</summary>
    public IReadOnlyList<NodeSessionView> NodesAtEnd { get; private set; } = [];

    public bool IsOver => State is Stopped or Failed;

    /// <summary>Nodes are to run it.</summary>
    public bool IsWanted => State is Starting or Running;

    public DateTimeOffset? EndsAt => Request.Limits.Duration is { } duration ? CreatedAt + duration : null;

    public Result<SessionEvent> Change(SessionPatch patch, DateTimeOffset now) => Refused("changed") ?? (Result<SessionEvent>)new SessionChanged(now, patch);

    public Result<SessionEvent> Pause(DateTimeOffset now) => Refused("paused") ?? (IsPaused ? Conflict("is paused already") : (Result<SessionEvent>)new SessionPaused(now));

    public Result<SessionEvent> Resume(DateTimeOffset now) => Refused("resumed") ?? (!IsPaused ? Conflict("is not paused") : (Result<SessionEvent>)new SessionResumed(now));

    public Result<SessionEvent> Stop(string reason, DateTimeOffset now) => Refused("stopped") ?? (Result<SessionEvent>)new SessionStopping(now, reason);

    public void Apply(SessionEvent happened)
    {
        switch (happened)
        {
            case SessionCreated created:
                (Id, Owner, Request, CreatedAt, State, Generation) = (created.Id, created.Owner, created.Request, created.At, Starting, 1);
                break;
            case SessionChanged { Patch: var patch }:
                Request = Request with
                {
                    Name = patch.Name ?? Request.Name,
                    Filter = patch.Filter ?? Request.Filter,
                    Quality = patch.Quality ?? Request.Quality,
                    Nodes = patch.Nodes ?? Request.Nodes,
                    Limits = patch.Limits ?? Request.Limits,
                };
                Generation++;
                break;
            case SessionPaused:
                IsPaused = true;
                Generation++;
                break;
            case SessionResumed:
                IsPaused = false;
                Generation++;
                break;
            case SessionRunning:
                State = Running;
                StartedAt = happened.At;
                break;
            case SessionStopping stopping:
                State = Stopping;
                StopReason = stopping.Reason;
                break;
            case SessionStopped stopped:
                State = Stopped;
                StoppedAt = stopped.At;
                NodesAtEnd = stopped.Nodes;
                break;
            case SessionFailed failed:
                State = Failed;
                (FailureReason, StoppedAt, NodesAtEnd) = (failed.Reason, failed.At, failed.Nodes);
                break;
        }
    }

    private CommandError? Refused(string what) => IsWanted ? null : Conflict($"is {State} and cannot be {what} any more");

    private CommandError Conflict(string text) => new(CommandError.Conflict, null, $"session {Id} {text}");
}
