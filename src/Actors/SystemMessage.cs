namespace NftCluster.Actors;

internal enum SystemKind
{
    Start,
    Stop,
    Drain,
    AddChild,
    ChildStopped,
    ChildFailed,
    Resume,
    Restart,
    BackOffOver,
    Watch,
    Unwatch,
    TargetStopped,
    Notice,
}

/// <summary>
/// What the runtime says to an actor. The lane that carries it has no bound of its own: it holds at most a few messages
/// for each child, watch and timer, and those are bounded by what the actors make.
/// </summary>
internal readonly record struct SystemMessage(
    SystemKind Kind,
    ActorRef? Subject = null,
    Exception? Error = null,
    TimeSpan BackOff = default,
    object? Notice = null);
