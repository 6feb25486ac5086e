using System.Runtime.InteropServices;
using NftCluster.Node.Kernel;

namespace NftCluster.Tests.Node.Kernel;

public sealed class RingBufferReaderTests : IDisposable
{
    private readonly FakeRing _ring = new();
    private readonly EventBatch _batch = new(64 * 1024, static _ => { });

    [Fact]
    public void An_empty_ring_gives_nothing()
    {
        Assert.Equal((0, 0, 0L), (_ring.Reader.Read(_batch), _batch.Records, _ring.Reader.Backlog));
    }

    [Fact]
    public void Records_come_whole_and_in_order_and_once()
    {
        _ring.Write([1, 1, 1]);
        _ring.Write([2, 2, 2, 2, 2, 2, 2, 2, 2]);

        Assert.Equal(16 + 24, _ring.Reader.Read(_batch));
        Assert.Equal(["01-01-01", "02-02-02-02-02-02-02-02-02"], Bodies(_batch), StringComparer.Ordinal);
        Assert.Equal((2, 0L), (_batch.Records, _ring.Reader.Backlog));
        Assert.Equal(0, _ring.Reader.Read(_batch));
    }

    [Fact]
    public void A_record_still_being_written_stops_the_reader_until_it_is_done()
    {
        _ring.Write([1]);
        ulong busy = _ring.Write([2], RingBufferReader.BusyBit);
        _ring.Write([3]);

        _ring.Reader.Read(_batch);
        Assert.Equal(["01"], Bodies(_batch), StringComparer.Ordinal);
        Assert.Equal(0, _ring.Reader.Read(_batch));
        Assert.Equal(32, _ring.Reader.Backlog);

        _ring.Finish(busy, 1);
        _ring.Reader.Read(_batch);
        Assert.Equal(["01", "02", "03"], Bodies(_batch), StringComparer.Ordinal);
    }

    [Fact]
    public void A_discarded_record_keeps_its_place_and_says_so()
    {
        _ring.Write([1]);
        _ring.Write(new byte[40], RingBufferReader.DiscardBit);
        _ring.Write([3]);

        Assert.Equal(16 + 48 + 16, _ring.Reader.Read(_batch));
        Assert.Equal(["01", "03"], Bodies(_batch), StringComparer.Ordinal);
    }

    [Fact]
    public void A_record_over_the_end_of_the_ring_is_whole()
    {
        for (int round = 0; round < 50; round++)
        {
            byte[] body = new byte[600 + round];
            Array.Fill(body, (byte)round);
            _ring.Write(body);
            _batch.Reset();

            Assert.Equal(RingBufferReader.RecordSize((uint)body.Length), _ring.Reader.Read(_batch));
            Assert.Equal(BitConverter.ToString(body), Assert.Single(Bodies(_batch)));
        }
    }

    [Fact]
    public void A_batch_takes_only_whole_records_and_the_rest_comes_with_the_next()
    {
        EventBatch small = new(40, static _ => { });
        _ring.Write(new byte[8]);
        _ring.Write(new byte[8]);
        _ring.Write(new byte[8]);

        Assert.Equal(32, _ring.Reader.Read(small));
        small.Reset();
        Assert.Equal(16, _ring.Reader.Read(small));
    }

    [Fact]
    public void A_batch_goes_back_when_the_last_holder_releases_it()
    {
        List<EventBatch> recycled = [];
        EventBatch batch = new(64, recycled.Add);
        batch.Append(new byte[16], 1);
        batch.HandTo(2);

        batch.Release();
        Assert.Empty(recycled);
        batch.Release();
        Assert.Equal((1, 0, 64), (recycled.Count, batch.Length, batch.Free));
    }

    public void Dispose() => _ring.Dispose();

    private static List<string> Bodies(EventBatch batch)
    {
        List<string> bodies = [];
        for (ReadOnlySpan<byte> rest = batch.Bytes; rest.Length > 0;)
        {
            uint header = MemoryMarshal.Read<uint>(rest);
            if ((header & RingBufferReader.DiscardBit) == 0)
            {
                bodies.Add(BitConverter.ToString(rest.Slice(RingBufferReader.HeaderSize, (int)header).ToArray()));
            }
            rest = rest[RingBufferReader.RecordSize(header)..];
        }
        return bodies;
    }
}
