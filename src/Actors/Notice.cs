using System.Diagnostics.CodeAnalysis;

namespace NftCluster.Actors;

/// <summary>
/// A message that an actor ordered for itself (a timer's, a watched actor's death): it takes its place behind what is queued
/// when it comes due, is never refused by a full mailbox, and can be taken back until the moment it is received.
/// </summary>
internal abstract class Notice<TMessage>
{
    /// <summary>False when it was taken back in the meantime.</summary>
    internal abstract bool TryTake([MaybeNullWhen(false)] out TMessage message);

    internal virtual void Discard()
    {
    }
}

/// <summary>Tells a waiter that everything queued before it has been handled.</summary>
internal sealed class FenceNotice<TMessage> : Notice<TMessage>
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal Task Reached => _reached.Task;

    internal override bool TryTake([MaybeNullWhen(false)] out TMessage message)
    {
        message = default;
        Discard();
        return false;
    }

    internal override void Discard() => _reached.TrySetResult();
}
