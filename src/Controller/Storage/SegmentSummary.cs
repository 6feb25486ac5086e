using System.Buffers.Binary;
using System.Runtime.InteropServices;
using NftCluster.Messages.Link;

namespace NftCluster.Controller.Storage;

/// <summary>
/// What a search needs to know of a segment without unpacking it. A trace's values of one field are a set, and few sets recur:
/// <code>
/// filter    which terms the segment may hold: <see cref="TermFilter"/>
/// columns   ┌ u32 traces ┬ i64 first_seen_ns × traces ┬ per field: u16 sets ┬ per set: u16 n, u64 × n ┬ u16 set × traces ┐
/// </code>
/// Little endian. A segment with more than 65,535 sets in a field is cut by the node long before.
/// </summary>
internal sealed class SegmentSummary
{
    private readonly TraceTerms _terms = new();
    private readonly HashSet<ulong> _all = [];

    public const int MostTraces = ushort.MaxValue;

    public byte[] Filter { get; private set; } = [];

    public byte[] Columns { get; private set; } = [];

    public long FirstNs { get; private set; }

    public long LastNs { get; private set; }

    /// <summary>Throws <see cref="InvalidDataException"/> for more traces than a segment holds.</summary>
    public void Build(TraceBatch batch)
    {
        int traces = batch.Trace.Count;
        if (traces > MostTraces)
        {
            throw new InvalidDataException($"a batch of {traces} traces: at most {MostTraces}");
        }
        _all.Clear();
        _terms.Begin(batch);
        (FirstNs, LastNs) = (long.MaxValue, long.MinValue);
        long[] times = new long[traces];
        ushort[][] columns = [.. Enumerable.Range(0, TraceFields.Count).Select(_ => new ushort[traces])];
        SetTable[] sets = [.. Enumerable.Range(0, TraceFields.Count).Select(_ => new SetTable())];
        for (int i = 0; i < traces; i++)
        {
            Trace trace = batch.Trace[i];
            times[i] = batch.BaseNs + trace.FirstSeenNs;
            FirstNs = Math.Min(FirstNs, times[i]);
            LastNs = Math.Max(LastNs, times[i] + (long)trace.DurationNs);
            _terms.Read(trace);
            for (int field = 0; field < TraceFields.Count; field++)
            {
                columns[field][i] = sets[field].Of(_terms[(TraceField)field], _all);
            }
        }
        Filter = TermFilter.Of(_all);
        Columns = Pack(times, columns, sets);
    }

    private static byte[] Pack(long[] times, ushort[][] columns, SetTable[] sets)
    {
        using MemoryStream packed = new();
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(number, times.Length);
        packed.Write(number);
        packed.Write(MemoryMarshal.AsBytes(times.AsSpan()));
        for (int field = 0; field < columns.Length; field++)
        {
            List<ulong[]> list = sets[field].Sets;
            Write16(list.Count);
            foreach (ulong[] set in list)
            {
                Write16(set.Length);
                packed.Write(MemoryMarshal.AsBytes(set.AsSpan()));
            }
            packed.Write(MemoryMarshal.AsBytes(columns[field].AsSpan()));
        }
        return packed.ToArray();

        void Write16(int value)
        {
            Span<byte> bytes = stackalloc byte[2];
            BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)value);
            packed.Write(bytes);
        }
    }

    /// <summary>Numbers the sets of one field as they come.</summary>
    private sealed class SetTable
    {
        private readonly Dictionary<ulong, List<ushort>> _byHash = [];

        public List<ulong[]> Sets { get; } = [];

        public ushort Of(List<ulong> terms, HashSet<ulong> all)
        {
            ReadOnlySpan<ulong> set = CollectionsMarshal.AsSpan(terms);
            ulong hash = 0;
            foreach (ulong term in set)
            {
                hash = ulong.RotateLeft(hash, 5) ^ term;
            }
            ref List<ushort>? same = ref CollectionsMarshal.GetValueRefOrAddDefault(_byHash, hash, out _);
            same ??= [];
            foreach (ushort number in same)
            {
                if (set.SequenceEqual(Sets[number]))
                {
                    return number;
                }
            }
            same.Add((ushort)Sets.Count);
            Sets.Add(set.ToArray());
            all.UnionWith(terms);
            return (ushort)(Sets.Count - 1);
        }
    }
}
