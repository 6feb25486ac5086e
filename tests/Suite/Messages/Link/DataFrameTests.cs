using Google.Protobuf;
using NftCluster.Messages.Link;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Messages.Link;

public sealed class DataFrameTests
{
    [Fact]
    public void A_payload_comes_back_as_it_was_packed()
    {
        Payload traces = new() { Traces = TraceBatchCodec.Encode("s1", [.. Enumerable.Repeat(Samples.Forwarded(), 50)]) };
        Payload small = new() { Losses = new Losses { SessionId = "s1", Loss = { new Loss { Stage = "ring-full", Kind = "events", Count = 3 } } } };

        Assert.Equal(traces, DataFrame.Unpack(Frame(DataFrame.Pack(traces))));
        Assert.Equal(small, DataFrame.Unpack(Frame(DataFrame.Pack(small))));
        Assert.Equal(Data.Types.Compression.Brotli, DataFrame.Pack(traces).Compression);
        Assert.Equal(Data.Types.Compression.None, DataFrame.Pack(small).Compression);
    }

    [Fact]
    public void A_damaged_payload_an_oversized_one_and_an_unknown_compression_are_refused()
    {
        Data good = Frame(DataFrame.Pack(new Payload { Traces = TraceBatchCodec.Encode("s1", [Samples.Forwarded()]) }));

        Assert.Throws<InvalidDataException>(() => DataFrame.Unpack(new Data(good) { Hash = good.Hash + 1 }));
        Assert.Throws<InvalidDataException>(() => DataFrame.Unpack(new Data(good) { PayloadBytes = good.PayloadBytes - 1 }));
        Assert.Throws<InvalidDataException>(() => DataFrame.Unpack(new Data(good) { PayloadBytes = DataFrame.MostPayloadBytes + 1 }));
        Assert.Throws<InvalidDataException>(() => DataFrame.Unpack(new Data(good) { Compression = Data.Types.Compression.Lz4 }));
        Assert.Throws<InvalidDataException>(() => DataFrame.Unpack(new Data()));
    }

    [Fact]
    public void Of_a_batch_only_the_traces_that_are_asked_for_are_unpacked_in_that_order()
    {
        RandomTraces random = new(11);
        TraceBatch all = TraceBatchCodec.Encode("s1", [.. Enumerable.Range(0, 60).Select(_ => random.Trace())]);
        Data data = Frame(DataFrame.Pack(new Payload { Traces = all }));

        TraceBatch some = DataFrame.UnpackTraces(data, [59, 0, 17]);

        Assert.Equal([all.Trace[59], all.Trace[0], all.Trace[17]], some.Trace);
        Assert.Equal((all.SessionId, all.BaseNs), (some.SessionId, some.BaseNs));
        Assert.Equal(all.Text, some.Text, StringComparer.Ordinal);
        Assert.Equal(all.Trace, DataFrame.UnpackTraces(data, [.. Enumerable.Range(0, 60)]).Trace);
    }

    [Fact]
    public void Traces_that_a_batch_has_not_and_a_payload_that_holds_none_are_refused()
    {
        Data data = Frame(DataFrame.Pack(new Payload { Traces = TraceBatchCodec.Encode("s1", [Samples.Forwarded()]) }));

        Assert.Throws<InvalidDataException>(() => DataFrame.UnpackTraces(data, [1]));
        Assert.Throws<InvalidDataException>(() => DataFrame.UnpackTraces(data, [-1]));
        Assert.Throws<InvalidDataException>(() => DataFrame.UnpackTraces(new Data(data) { Hash = data.Hash + 1 }, [0]));
        Assert.Throws<InvalidDataException>(() => DataFrame.UnpackTraces(Frame(DataFrame.Pack(new Payload { Losses = new Losses() })), [0]));
    }

    [Fact]
    public void A_payload_that_was_cut_short_is_refused_wherever_the_cut_is()
    {
        byte[] whole = new Payload { Traces = TraceBatchCodec.Encode("s1", [Samples.Forwarded(), Samples.Dropped()]) }.ToByteArray();

        for (int length = 0; length < whole.Length; length++)
        {
            byte[] cut = whole[..length];
            Assert.Throws<InvalidDataException>(() => DataFrame.UnpackTraces(
                Frame(new PackedPayload(Data.Types.Compression.None, length, System.IO.Hashing.XxHash64.HashToUInt64(cut), cut)), [0]));
        }
    }

    internal static Data Frame(PackedPayload packed) => new()
    {
        Epoch = 1,
        Sequence = 1,
        Compression = packed.Compression,
        PayloadBytes = (uint)packed.PayloadBytes,
        Hash = packed.Hash,
        Payload = ByteString.CopyFrom(packed.Bytes),
    };
}
