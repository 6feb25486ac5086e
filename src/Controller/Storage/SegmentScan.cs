using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace NftCluster.Controller.Storage;

/// <summary>Finds the traces of a segment that a search wants, by its summary alone. Layout: <see cref="SegmentSummary"/>.</summary>
internal static class SegmentScan
{
    /// <summary>Indexes of the traces for which every part holds and whose first event lies in the time, in ascending order.</summary>
    public static List<int> Matches(ReadOnlySpan<byte> columns, IReadOnlyList<QueryPart> parts, long fromNs, long toNs)
    {
        int traces = BinaryPrimitives.ReadInt32LittleEndian(columns);
        ReadOnlySpan<byte> rest = columns[sizeof(int)..];
        bool[] wanted = new bool[traces];
        ReadOnlySpan<byte> times = rest[..(traces * sizeof(long))];
        for (int i = 0; i < traces; i++)
        {
            long time = BinaryPrimitives.ReadInt64LittleEndian(times[(i * sizeof(long))..]);
            wanted[i] = time >= fromNs && time <= toNs;
        }
        rest = rest[(traces * sizeof(long))..];
        for (int field = 0; field < TraceFields.Count && !rest.IsEmpty; field++)
        {
            rest = Field(rest, (TraceField)field, parts, wanted);
        }
        List<int> found = [];
        for (int i = 0; i < traces; i++)
        {
            if (wanted[i])
            {
                found.Add(i);
            }
        }
        return found;
    }

    /// <summary>Applies the parts about this field, and returns what follows it.</summary>
    private static ReadOnlySpan<byte> Field(ReadOnlySpan<byte> rest, TraceField field, IReadOnlyList<QueryPart> parts, bool[] wanted)
    {
        int sets = BinaryPrimitives.ReadUInt16LittleEndian(rest);
        rest = rest[sizeof(ushort)..];
        QueryPart[] about = [.. parts.Where(part => part.Field == field)];
        bool[] holds = new bool[about.Length == 0 ? 0 : sets];
        for (int set = 0; set < sets; set++)
        {
            int count = BinaryPrimitives.ReadUInt16LittleEndian(rest);
            ReadOnlySpan<byte> terms = rest.Slice(sizeof(ushort), count * sizeof(ulong));
            rest = rest[(sizeof(ushort) + terms.Length)..];
            bool all = about.Length > 0;
            for (int i = 0; i < about.Length && all; i++)
            {
                all = Holds(MemoryMarshal.Cast<byte, ulong>(terms), about[i]);
            }
            if (all)
            {
                holds[set] = true;
            }
        }
        ReadOnlySpan<byte> column = rest[..(wanted.Length * sizeof(ushort))];
        for (int i = 0; i < wanted.Length && about.Length > 0; i++)
        {
            wanted[i] &= holds[BinaryPrimitives.ReadUInt16LittleEndian(column[(i * sizeof(ushort))..])];
        }
        return rest[column.Length..];
    }

    /// <summary>A set is stored sorted: it is searched where it lies.</summary>
    private static bool Holds(ReadOnlySpan<ulong> set, QueryPart part)
    {
        foreach (ulong term in part.Terms)
        {
            if (set.BinarySearch(term) >= 0)
            {
                return true;
            }
        }
        return false;
    }
}
