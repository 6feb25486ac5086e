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
