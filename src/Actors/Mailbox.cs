namespace NftCluster.Actors;

/// <summary>What a full mailbox does with one more message.</summary>
public enum Overflow
{
    /// <summary><c>TellAsync</c> waits for room; <c>Tell</c> refuses. For control messages.</summary>
    Wait,

    /// <summary>The new message is refused and counted, nobody waits. For data.</summary>
    DropNewest,
}

/// <summary>How many messages may wait for an actor, and what happens to one more; stated when it is spawned.</summary>
public sealed record Mailbox
{
    /// <summary>Control messages are few: a thousand waiting means that their actor is stuck.</summary>
    public const int DefaultCapacity = 1024;

    private Mailbox(int capacity, Overflow overflow)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        Capacity = capacity;
        Overflow = overflow;
    }

    public int Capacity { get; }

    public Overflow Overflow { get; }

    public static Mailbox Wait(int capacity = DefaultCapacity) => new(capacity, Overflow.Wait);

    public static Mailbox DropNewest(int capacity = DefaultCapacity) => new(capacity, Overflow.DropNewest);
}
