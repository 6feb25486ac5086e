namespace NftCluster.Actors;

/// <summary>An actor threw, and this was decided (restart: after <c>BackOff</c>); the host logs it.</summary>
public sealed record ActorFailure(string Path, Exception Error, Directive Decision, TimeSpan BackOff);

/// <summary>A message that nobody will receive, because its actor has stopped.</summary>
public sealed record DeadLetter(string Path, object? Message);

/// <summary>What the host wants to hear of, and what it decides for the actors at the top.</summary>
public sealed record ActorSystemOptions
{
    /// <summary>Called on the thread of the supervisor; must be quick.</summary>
    public Action<ActorFailure>? OnFailure { get; init; }

    /// <summary>Called on the thread of the teller or of the stopping actor; must be quick.</summary>
    public Action<DeadLetter>? OnDeadLetter { get; init; }

    /// <summary>Decides for actors without a parent. <see cref="Directive.Escalate"/> here stops the whole system.</summary>
    public SupervisorStrategy Supervision { get; init; } = SupervisorStrategy.StopAlways;
}
