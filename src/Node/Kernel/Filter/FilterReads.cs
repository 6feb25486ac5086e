using System.Runtime.InteropServices;
using NftCluster.Node.Kernel.Native;

namespace NftCluster.Node.Kernel.Filter;

/// <summary>
/// Which bits of a packet a session's answer depends on: ones, in the shape of the question. Two packets that are equal in them get the
/// same answer, so the kernel half need not ask again (bpf/sessions.bpf.h).
/// </summary>
internal static class FilterReads
{
    public static Question Of(in SessionFilter want, IReadOnlyList<FilterNode> nodes)
    {
        Question reads = new()
        {
            // Whatever is asked: who asks, under which filters, what NAT did, where the packet's bytes end.
            Sessions = ulong.MaxValue,
            Conntrack = ulong.MaxValue,
            FilterGeneration = uint.MaxValue,
            Netns = uint.MaxValue,
            Valid = uint.MaxValue,
            Ifindex = want.Ifindex == 0 ? 0 : uint.MaxValue,
            Mark = want.MarkMask,
        };
        foreach (FilterNode node in nodes)
        {
            Add(ref reads, node);
        }
        return reads;
    }

    /// <summary>What any of them depends on.</summary>
    public static Question Together(IEnumerable<Question> several)
    {
        Question all = default;
        Span<byte> sum = MemoryMarshal.AsBytes(new Span<Question>(ref all));
        foreach (Question one in several)
        {
            Question copy = one;
            ReadOnlySpan<byte> bits = MemoryMarshal.AsBytes(new ReadOnlySpan<Question>(ref copy));
            for (int i = 0; i < sum.Length; i++)
            {
                sum[i] |= bits[i];
            }
        }
        return all;
    }

    private static void Add(ref Question reads, FilterNode node)
    {
        Span<byte> bytes = reads.Bytes;
        switch (node.Load)
        {
            case FilterLoad.Abs1 or FilterLoad.XMsh:
                bytes.Slice((int)node.LoadK, 1).Fill(byte.MaxValue);
                break;
            case FilterLoad.Abs2:
                bytes.Slice((int)node.LoadK, 2).Fill(byte.MaxValue);
                break;
            case FilterLoad.Abs4:
                bytes.Slice((int)node.LoadK, 4).Fill(byte.MaxValue);
                break;
            case FilterLoad.Ind1 or FilterLoad.Ind2 or FilterLoad.Ind4:
                bytes.Fill(byte.MaxValue); // where is only known with the packet
                break;
            case FilterLoad.Len or FilterLoad.XLen:
                reads.FrameLength = uint.MaxValue;
                break;
        }
    }
}
