using System.Threading.Channels;
using NftCluster.Actors;
using NftCluster.Controller.Storage;
using NftCluster.Messages.Link;

namespace NftCluster.Controller.Cluster;

/// <summary>
/// From a node's data frames to their commit: while one commit is under way the next frames gather, so a slow disk makes
/// commits larger, not more. What waits here is packed as it came and bounded by the node's credit; what is unpacked, until it is
/// committed, by the budget that all lanes share.
/// </summary>
internal sealed class IngestLane(string nodeId, ActorRef<StorageMessage> storage, ActorRef<NodeLinkMessage> link, IngestBudget budget, LinkOptions options, TimeProvider time)
{
    private const int MostFrames = 4096;
    private const int PerCommit = 256;

    /// <summary>Before compression, of one lane's commit: with 16 MiB for all, some four lanes unpack at once.</summary>
    private const long PlainPerCommit = 4 << 20;

    private readonly Channel<(Data Data, DateTimeOffset At)> _frames = Channel.CreateBounded<(Data Data, DateTimeOffset At)>(new BoundedChannelOptions(MostFrames) { SingleReader = true, SingleWriter = true });
    private long _bytes;

    /// <summary>Throws <see cref="InvalidDataException"/> for what no node of ours sends.</summary>
    public async ValueTask AddAsync(Data data, CancellationToken cancellation)
    {
        if (data.Sequence == 0 || data.Epoch == 0)
        {
            throw new InvalidDataException("a data frame without epoch or sequence");
        }
        // One frame may pass the edge of the window: a node cannot cut a batch in two.
        if (Interlocked.Read(ref _bytes) > options.CreditBytes)
        {
            throw new InvalidDataException($"more than the credit of {options.CreditBytes} bytes is under way");
        }
        if (data.PayloadBytes > DataFrame.MostPayloadBytes)
        {
            throw new InvalidDataException($"a payload of {data.PayloadBytes} bytes: at most {DataFrame.MostPayloadBytes}");
        }
        Interlocked.Add(ref _bytes, data.Payload.Length);
        await _frames.Writer.WriteAsync((data, time.GetUtcNow()), cancellation);
    }

    /// <summary>Throws <see cref="InvalidDataException"/> for a frame that cannot be unpacked.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        while (await _frames.Reader.WaitToReadAsync(cancellation))
        {
            List<(Data Data, DateTimeOffset At)> waiting = [];
            long plain = 0;
            while (waiting.Count < PerCommit && plain < PlainPerCommit && _frames.Reader.TryRead(out (Data Data, DateTimeOffset At) frame))
            {
                waiting.Add(frame);
                plain += frame.Data.PayloadBytes;
            }
            await budget.TakeAsync(plain, cancellation);
            try
            {
                IngestFrame[] batch = [.. waiting.Select(frame => new IngestFrame(nodeId, frame.Data, DataFrame.Unpack(frame.Data), frame.At))];
                FramesCommitted outcome = await CommitAsync(batch, cancellation);
                Interlocked.Add(ref _bytes, -batch.Sum(frame => (long)frame.Compressed.Length));
                await link.TellAsync(new FramesStored(batch, outcome), cancellation);
            }
            finally
            {
                budget.Return(plain);
            }
        }
    }

    private async Task<FramesCommitted> CommitAsync(IReadOnlyList<IngestFrame> batch, CancellationToken cancellation)
    {
        while (true)
        {
            FramesCommitted outcome = await TryCommitAsync(batch, cancellation);
            if (outcome.Error is not { } error)
            {
                return outcome;
            }
            await link.TellAsync(new StorageRefused(error), cancellation);
            await Task.Delay(options.CommitRetry, time, cancellation);
        }
    }

    private async Task<FramesCommitted> TryCommitAsync(IReadOnlyList<IngestFrame> batch, CancellationToken cancellation)
    {
        try
        {
            return await storage.AskAsync<FramesCommitted>(reply => new CommitFrames(batch, reply), options.CommitPatience, cancellation);
        }
        catch (Exception busy) when (busy is TimeoutException or InvalidOperationException)
        {
            // Not known whether it is stored: to commit the same again is harmless.
            return new FramesCommitted([], [], $"storage does not answer: {busy.Message}");
        }
    }
}
