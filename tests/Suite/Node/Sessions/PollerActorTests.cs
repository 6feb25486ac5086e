using NftCluster.Actors;
using NftCluster.Node.Sessions;
using NftCluster.TestKit;
using NftCluster.Tests.Node.Kernel;

namespace NftCluster.Tests.Node.Sessions;

/// <summary>The poller on a ring that a test fills.</summary>
public sealed class PollerActorTests : IAsyncLifetime
{
    private readonly ActorTestSystem _system = new(new SupervisorStrategy { MaxRestarts = 3 });
    private readonly FakeRing _ring = new();
    private readonly BatchPool _batches = new();
    private TestProbe<NodeMessage> _node = null!;
    private TestProbe<ShardMessage> _shard = null!;
    private ActorRef<PollerMessage> _poller = null!;

    public ValueTask InitializeAsync()
    {
        _node = new TestProbe<NodeMessage>(_system.System, "node");
        _shard = new TestProbe<ShardMessage>(_system.System, "shard");
        PollerSubscribers subscribers = new();
        _poller = _system.Spawn<PollerMessage>("poller", () => new PollerActor(_ring.Reader, _batches, _node.Ref, subscribers));
        return default;
    }

    [Fact]
    public async Task A_subscriber_is_ready_before_its_first_batch_and_gets_every_record()
    {
        await SubscribeAsync();
        _ring.Write([1, 2, 3]);

        Assert.Equal(1, (await NextBatchAsync()).Batch.Records);
    }

    [Fact]
    public async Task What_lies_in_the_ring_is_handed_over_before_a_subscriber_is_let_go()
    {
        await SubscribeAsync();
        _ring.Write([1]);
        _poller.Tell(new Unsubscribe(0));

        await _node.ExpectMessageAsync(m => m is EventsHandedOver { Bit: 0 }, "the poller lets the subscriber go");
        await _shard.Ref.FenceAsync();
        Assert.Equal(1, (await NextBatchAsync()).Batch.Records);
        _ring.Write([2]);
        _poller.Tell(new Subscribe(1, _shard.Ref));
        await _node.ExpectMessageAsync(m => m is SessionReady { Bit: 1 }, "another subscribes");
    }

    [Fact]
    public async Task A_poller_that_failed_is_started_again_and_keeps_its_subscribers()
    {
        await SubscribeAsync();

        _poller.Tell(new PollingFailed(new IOException("no more")));
        ActorFailure failure = await _system.ExpectFailureAsync();
        await _system.Time.PassAsync(new SupervisorStrategy().BackOff);
        await _poller.FenceAsync().WithPatience("the poller runs again");
        _ring.Write([1]);

        Assert.Equal((Directive.Restart, "reading the ring failed: no more"), (failure.Decision, failure.Error.Message));
        Assert.Equal(1, (await NextBatchAsync()).Batch.Records);
    }

    [Fact]
    public async Task A_shard_that_stands_still_gets_one_notice_of_an_empty_ring_and_still_every_batch()
    {
        await SubscribeAsync();
        DrainNotice first = (await NextNoticeAsync()).Notice;
        List<ShardMessage> meanwhile = [];
        for (byte i = 0; i < 10; i++)
        {
            _ring.Write([i]);
            meanwhile.Add(await _shard.ExpectMessageAsync("the shard gets what comes"));
        }
        first.Release();

        Assert.All(meanwhile, message => Assert.IsType<EventsRead>(message));
        Assert.Same(first, (await NextNoticeAsync()).Notice);
    }

    [Fact]
    public async Task A_subscriber_is_let_go_while_the_batches_of_others_are_under_way()
    {
        await SubscribeAsync();
        await UseUpAllBatchesAsync();

        _poller.Tell(new Unsubscribe(0));

        await _node.ExpectMessageAsync(m => m is EventsHandedOver { Bit: 0 }, "the poller lets the subscriber go though it never saw the ring empty");
    }

    [Fact]
    public async Task The_time_is_told_while_packets_flow_without_a_pause()
    {
        await SubscribeAsync();
        await UseUpAllBatchesAsync();
        ulong before = 0;
        for (int i = 0; i < 3; i++)
        {
            DrainNotice notice = (await NextNoticeAsync()).Notice;
            Assert.True(notice.NowNs > before, $"{notice.NowNs} after {before}");
            before = notice.NowNs;
            notice.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _system.DisposeAsync();
        _batches.Dispose();
        _ring.Dispose();
    }

    private async Task SubscribeAsync()
    {
        _poller.Tell(new Subscribe(0, _shard.Ref));
        await _node.ExpectMessageAsync(m => m is SessionReady { Bit: 0 }, "the poller has the subscriber");
    }

    /// <summary>From now on the poller finds no free batch, and so never reads an empty ring.</summary>
    private async Task UseUpAllBatchesAsync()
    {
        for (byte i = 0; i < BatchPool.Batches; i++)
        {
            _ring.Write([i]);
            await NextBatchAsync();
        }
    }

    private Task<EventsRead> NextBatchAsync() => NextAsync<EventsRead>("a batch");

    private Task<RingDrained> NextNoticeAsync() => NextAsync<RingDrained>("the ring is empty");

    private async Task<TMessage> NextAsync<TMessage>(string what)
        where TMessage : ShardMessage
    {
        while (true)
        {
            ShardMessage next = await _shard.ExpectMessageAsync(what);
            if (next is TMessage message)
            {
                return message;
            }
            (next as RingDrained)?.Notice.Release();
        }
    }
}
