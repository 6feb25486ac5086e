using Google.Protobuf;

namespace NftCluster.Messages.Link;

/// <summary>Reads a packed batch field by field: a page of a search wants few traces of many batches.</summary>
internal static class TraceBatchPicker
{
    public static TraceBatch Pick(ArraySegment<byte> payload, IReadOnlyList<int> indexes)
    {
        var wanted = indexes.Distinct().ToDictionary(index => index, _ => new Trace());
        TraceBatch batch = new();
        CodedInputStream input = new(payload.Array, payload.Offset, payload.Count);
        bool found = false;
        int next = 0;
        while (input.ReadTag() is not 0 and var tag)
        {
            if (tag != Tag(Payload.TracesFieldNumber))
            {
                input.SkipLastField();
                continue;
            }
            found = true;
            long length = input.ReadLength();
            long end = input.Position + length;
            while (end <= payload.Count && input.Position < end)
            {
                ReadField(input, batch, wanted, ref next);
            }
            if (input.Position != end)
            {
                throw new InvalidDataException("a batch that does not end where it says");
            }
        }
        if (!found || indexes.Any(index => index < 0 || index >= next))
        {
            throw new InvalidDataException(found ? $"a batch of {next} traces has not all of those that are asked for" : "a payload without traces");
        }
        batch.Trace.AddRange(indexes.Select(index => wanted[index]));
        return batch;
    }

    private static void ReadField(CodedInputStream input, TraceBatch batch, Dictionary<int, Trace> wanted, ref int next)
    {
        uint tag = input.ReadTag();
        if (tag == Tag(TraceBatch.SessionIdFieldNumber))
        {
            batch.SessionId = input.ReadString();
        }
        else if (tag == WireFormat.MakeTag(TraceBatch.BaseNsFieldNumber, WireFormat.WireType.Fixed64))
        {
            batch.BaseNs = input.ReadSFixed64();
        }
        else if (tag == Tag(TraceBatch.TextFieldNumber))
        {
            batch.Text.Add(input.ReadString());
        }
        else if (tag == Tag(TraceBatch.TraceFieldNumber) && wanted.TryGetValue(next++, out Trace? trace))
        {
            input.ReadMessage(trace);
        }
        else
        {
            input.SkipLastField();
        }
    }

    private static uint Tag(int field) => WireFormat.MakeTag(field, WireFormat.WireType.LengthDelimited);
}
