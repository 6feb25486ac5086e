using System.Reflection;
using System.Text.Json;
using Google.Protobuf;
using NftCluster.Messages;
using NftCluster.Messages.Link;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Messages.Link;

public sealed class TraceBatchCodecTests
{
    [Fact]
    public void Any_trace_comes_back_as_it_went_over_the_wire()
    {
        for (int seed = 0; seed < 500; seed++)
        {
            IReadOnlyList<TraceRecord> traces = new RandomTraces(seed).Batch();
            byte[] wire = TraceBatchCodec.Encode("s1", traces).ToByteArray();

            TraceBatch batch = TraceBatch.Parser.ParseFrom(wire);

            Assert.Equal("s1", batch.SessionId);
            Assert.True(Json(traces) == Json(TraceBatchCodec.Decode(batch)), $"seed {seed}");
        }
    }

    [Theory]
    [InlineData(typeof(TraceRecord))]
    [InlineData(typeof(PacketSide))]
    [InlineData(typeof(EventRecord))]
    [InlineData(typeof(NftEventRecord))]
    [InlineData(typeof(ConntrackTupleRecord))]
    public void No_field_of_a_record_is_left_out_of_what_these_tests_send(Type record)
    {
        TraceRecord[] traces = [.. Enumerable.Range(0, 200).SelectMany(seed => new RandomTraces(seed).Batch())];
        object?[] made =
        [
            .. traces,
            .. traces.SelectMany(t => new[] { t.In, t.Out }),
            .. traces.SelectMany(t => t.Events),
            .. traces.SelectMany(t => t.NftEvents),
            .. traces.SelectMany(t => t.NftEvents).SelectMany(v => new[] { v.CtOriginal, v.CtReply }),
        ];

        Assert.All(
            record.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.CanWrite),
            property => Assert.True(made.Where(m => m?.GetType() == record).Select(property.GetValue).Distinct().Count() > 1, property.Name));
    }

    [Fact]
    public void A_trace_that_looks_like_a_real_one_takes_a_tenth_of_its_json()
    {
        TraceRecord[] traces = [.. Enumerable.Range(0, 200).Select(i => i % 10 == 0 ? Samples.Dropped() : Samples.Forwarded($"0xffff8881/4026532281/{i}"))];
        byte[] wire = TraceBatchCodec.Encode("s1", traces).ToByteArray();

        Assert.True(wire.Length * 10 < Json(traces).Length, $"{wire.Length} bytes of {Json(traces).Length}");
    }

    [Fact]
    public void A_record_that_would_not_come_back_the_same_is_refused()
    {
        TraceRecord good = Samples.Forwarded();

        Assert.Throws<InvalidDataException>(() => TraceBatchCodec.Encode("s1", [good with { LastSeen = good.FirstSeen }]));
        Assert.Throws<InvalidDataException>(() => TraceBatchCodec.Encode("s1", [good with { FirstSeen = "yesterday" }]));
        Assert.Throws<InvalidDataException>(() => TraceBatchCodec.Encode("s1", [good with { SkbAddr = "0x00ff" }]));
        Assert.Throws<InvalidDataException>(() => TraceBatchCodec.Encode("s1", [good with { SrcIp = "10.1" }]));
    }

    [Fact]
    public void Bytes_that_were_changed_under_way_are_refused_or_read_but_never_anything_else()
    {
        byte[] wire = TraceBatchCodec.Encode("s1", [Samples.Forwarded(), Samples.Dropped()]).ToByteArray();
        Random random = new(7);
        int refused = 0;
        for (int i = 0; i < 5_000; i++)
        {
            byte[] damaged = [.. wire];
            for (int changes = random.Next(1, 4); changes > 0; changes--)
            {
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            }
            try
            {
                _ = TraceBatchCodec.Decode(TraceBatch.Parser.ParseFrom(damaged)).Count();
            }
            catch (Exception expected) when (expected is InvalidDataException or InvalidProtocolBufferException)
            {
                refused++;
            }
        }
        Assert.True(refused > 0);
    }

    private static string Json(IEnumerable<TraceRecord> traces) => string.Join('\n', traces.Select(t => JsonSerializer.Serialize(t, TraceJson.Default.TraceRecord)));
}
