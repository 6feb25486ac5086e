using BenchmarkDotNet.Attributes;
using NftCluster.Actors;
using NftCluster.Node.Kernel;
using NftCluster.Node.Sessions;

namespace NftCluster.Bench.Parts;

/// <summary>A batch of events told to an actor and received by it: one operation is one message (of some 5,000 events).</summary>
public class ActorBenchmarks
{
    private const int Messages = 1000;

    private readonly EventsRead _message = new(new EventBatch(64, static _ => { }));
    private ActorSystem _system = null!;
    private ActorRef<ShardMessage> _counter = null!;

    [GlobalSetup]
    public void Spawn()
    {
        Rates.Set(nameof(ActorBenchmarks), nameof(TellBatch), 1, "messages/s");
        _system = new ActorSystem("bench", TimeProvider.System);
        _counter = _system.Spawn<ShardMessage>("counter", static () => new Counter());
    }

    [GlobalCleanup]
    public Task StopAsync() => _system.StopAsync(TimeSpan.FromSeconds(5));

    [Benchmark(OperationsPerInvoke = Messages)]
    public async Task TellBatch()
    {
        for (int i = 0; i < Messages; i++)
        {
            _counter.Tell(_message);
        }
        await _counter.FenceAsync();
    }

    private sealed class Counter : Actor<ShardMessage>
    {
        protected override ValueTask ReceiveAsync(ShardMessage message)
        {
            _ = ((EventsRead)message).Batch.Records;
            return default;
        }
    }
}
