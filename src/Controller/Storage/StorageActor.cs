using Microsoft.Data.Sqlite;
using NftCluster.Actors;

namespace NftCluster.Controller.Storage;

/// <summary>
/// The only writer of traces. Commits that wait together share one transaction, so that a slow disk makes transactions larger, not
/// more. A full disk refuses frames; the nodes keep them.
/// </summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001", Justification = "An actor's end is PostStopAsync: it disposes.")]
internal sealed class StorageActor(Database database, StorageOptions options) : Actor<StorageMessage>
{
    private readonly List<CommitFrames> _waiting = [];
    private FrameWriter? _writer;
    private Retention? _retention;

    protected override ValueTask PreStartAsync()
    {
        _writer = new FrameWriter(database);
        _retention = new Retention(database, Context.Time);
        return default;
    }

    protected override ValueTask ReceiveAsync(StorageMessage message)
    {
        switch (message)
        {
            case CommitFrames order:
                if (_waiting.Count == 0)
                {
                    Context.Self.Tell(new CommitWaiting());
                }
                _waiting.Add(order);
                break;
            case CommitWaiting:
                Commit();
                break;
            case ClockSeen { Clock: var clock }:
                _writer!.SetClock(clock);
                break;
            case GetCommitted { NodeId: var node, ReplyTo: var asker }:
                asker.Tell(Guarded(() => new NodeCommitted(_writer!.CommittedOf(node), null), error => new NodeCommitted([], error)));
                break;
            case ApplyRetention { Limits: var limits, ReplyTo: var asker }:
                asker.Tell(Guarded(() => _retention!.Apply(limits), error => new RetentionDone(0, 0, error)));
                break;
            case RemoveSession { SessionId: var session, ReplyTo: var asker }:
                asker.Tell(Guarded(() => _retention!.Remove(session), error => new RetentionDone(0, 0, error)));
                break;
        }
        return default;
    }

    protected override ValueTask PostStopAsync()
    {
        _writer?.Dispose();
        return default;
    }

    private void Commit()
    {
        CommitFrames[] orders = [.. _waiting];
        _waiting.Clear();
        FramesCommitted outcome = Guarded(
            () => options.HasRoom() ? _writer!.Commit(orders.SelectMany(order => order.Frames)) : Refused(options.NoRoom),
            Refused);
        foreach (CommitFrames order in orders)
        {
            order.ReplyTo.Tell(outcome with
            {
                Committed = [.. outcome.Committed.Where(line => order.Frames.Any(frame => frame.NodeId == line.NodeId && frame.Epoch == line.Epoch))],
                Conflicts = [.. outcome.Conflicts.Where(conflict => order.Frames.Any(frame => frame.NodeId == conflict.NodeId && frame.Epoch == conflict.Epoch && frame.Sequence == conflict.Sequence))],
            });
        }
    }

    private static FramesCommitted Refused(string error) => new([], [], error);

    private static T Guarded<T>(Func<T> work, Func<string, T> refused)
    {
        try
        {
            return work();
        }
        catch (SqliteException e)
        {
            return refused(SqliteText.Explain(e));
        }
    }
}
