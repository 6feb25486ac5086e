namespace NftCluster.Actors;

/// <summary>What is to become of an actor that threw.</summary>
public enum Directive
{
    /// <summary>Go on with the next message and the same state.</summary>
    Resume,

    /// <summary>Go on with the next message and a new instance, after the back-off.</summary>
    Restart,

    Stop,

    /// <summary>The supervisor fails in turn, with the same error.</summary>
    Escalate,
}

/// <summary>How a parent decides about its children's failures: a decision for each, and a budget of restarts.</summary>
public sealed record SupervisorStrategy
{
    public static readonly SupervisorStrategy StopAlways = new() { Decide = static _ => Directive.Stop };

    private readonly Directive _whenExhausted = Directive.Stop;

    public Func<Exception, Directive> Decide { get; init; } = static _ => Directive.Restart;

    /// <summary>At most this many restarts of one child within <see cref="Window"/>.</summary>
    public int MaxRestarts { get; init; } = 10;

    public TimeSpan Window { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The wait before the first restart within the window; it doubles with each further one. Zero: at once.</summary>
    public TimeSpan BackOff { get; init; } = TimeSpan.FromMilliseconds(100);

    public TimeSpan MaxBackOff { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>What happens once the budget is used up: <see cref="Directive.Stop"/> or <see cref="Directive.Escalate"/>.</summary>
    public Directive WhenExhausted
    {
        get => _whenExhausted;
        init => _whenExhausted = value is Directive.Stop or Directive.Escalate
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, "A used-up restart budget leads to Stop or Escalate.");
    }
}
