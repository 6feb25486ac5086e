using System.Buffers.Binary;

namespace NftCluster.Node.Kernel.Filter;

/// <summary>The reference interpreter of filter nodes: bpf/filter.bpf.h gives the same answers in the kernel.</summary>
internal static class FilterEvaluator
{
    private const int ScratchWords = 16;

    /// <param name="nodes">One filter; empty: every packet.</param>
    /// <param name="packet">The bytes that are really the packet's, from the Ethernet header on.</param>
    /// <param name="frameLength">Bytes of the whole frame, sampled or not.</param>
    public static bool Matches(ReadOnlySpan<FilterNode> nodes, ReadOnlySpan<byte> packet, uint frameLength)
    {
        if (nodes.IsEmpty)
        {
            return true;
        }

        var machine = new Machine { Memory = stackalloc uint[ScratchWords] };
        machine.Memory.Clear();
        int next = 0;
        while (next < nodes.Length)
        {
            ref readonly FilterNode node = ref nodes[next];
            if (!machine.Load(node, packet, frameLength) || !machine.Compute(node))
            {
                return false;
            }

            if (node.Test is FilterTest.RetK or FilterTest.RetA)
            {
                return (node.Test == FilterTest.RetK ? node.TestK : machine.A) != 0;
            }

            int after = machine.Next(node, next);
            if (after <= next)
            {
                return false; // A loop: no translation makes one.
            }

            next = after;
        }

        return false;
    }

    /// <summary>The registers of one evaluation; all start at 0.</summary>
    private ref struct Machine
    {
        public uint A;
        public uint X;
        public Span<uint> Memory;

        /// <summary>False: the packet is too short for the load, so it does not match.</summary>
        public bool Load(in FilterNode node, ReadOnlySpan<byte> packet, uint frameLength)
        {
            uint k = node.LoadK;
            switch (node.Load)
            {
                case FilterLoad.Abs1:
                    return Fetch(packet, k, 1);
                case FilterLoad.Abs2:
                    return Fetch(packet, k, 2);
                case FilterLoad.Abs4:
                    return Fetch(packet, k, 4);
                case FilterLoad.Ind1:
                    return Fetch(packet, (ulong)X + k, 1);
                case FilterLoad.Ind2:
                    return Fetch(packet, (ulong)X + k, 2);
                case FilterLoad.Ind4:
                    return Fetch(packet, (ulong)X + k, 4);
                case FilterLoad.XMsh when k >= (uint)packet.Length:
                    return false;
                case FilterLoad.XMsh:
                    X = 4 * (packet[(int)k] & 0xfu);
                    break;
                case FilterLoad.St:
                    Memory[(int)(k & (ScratchWords - 1))] = A;
                    break;
                case FilterLoad.Stx:
                    Memory[(int)(k & (ScratchWords - 1))] = X;
                    break;
                case FilterLoad.Imm or FilterLoad.Len or FilterLoad.Mem or FilterLoad.Txa:
                    A = Value(node, frameLength);
                    break;
                case FilterLoad.XImm or FilterLoad.XLen or FilterLoad.XMem or FilterLoad.Tax:
                    X = Value(node, frameLength);
                    break;
            }

            return true;
        }

        /// <summary>False: division by zero, so the packet does not match.</summary>
        public bool Compute(in FilterNode node)
        {
            uint operand = node.AluX != 0 ? X : node.AluK;
            switch (node.Alu)
            {
                case FilterAlu.Div or FilterAlu.Mod when operand == 0:
                    return false;
                case FilterAlu.Lsh or FilterAlu.Rsh when operand > 31: // C# would shift by operand & 31
                    A = 0;
                    return true;
            }

            A = node.Alu switch
            {
                FilterAlu.Add => unchecked(A + operand),
                FilterAlu.Sub => unchecked(A - operand),
                FilterAlu.Mul => unchecked(A * operand),
                FilterAlu.Div => A / operand,
                FilterAlu.Mod => A % operand,
                FilterAlu.And => A & operand,
                FilterAlu.Or => A | operand,
                FilterAlu.Xor => A ^ operand,
                FilterAlu.Lsh => A << (int)operand,
                FilterAlu.Rsh => A >> (int)operand,
                FilterAlu.Neg => unchecked(0 - A),
                _ => A,
            };
            return true;
        }

        public readonly int Next(in FilterNode node, int index)
        {
            uint operand = node.TestX != 0 ? X : node.TestK;
            return node.Test switch
            {
                FilterTest.Ja => node.Jt,
                FilterTest.Eq => A == operand ? node.Jt : node.Jf,
                FilterTest.Gt => A > operand ? node.Jt : node.Jf,
                FilterTest.Ge => A >= operand ? node.Jt : node.Jf,
                FilterTest.Set => (A & operand) != 0 ? node.Jt : node.Jf,
                _ => index + 1,
            };
        }

        private readonly uint Value(in FilterNode node, uint frameLength) => node.Load switch
        {
            FilterLoad.Imm or FilterLoad.XImm => node.LoadK,
            FilterLoad.Len or FilterLoad.XLen => frameLength,
            FilterLoad.Mem or FilterLoad.XMem => Memory[(int)(node.LoadK & (ScratchWords - 1))],
            FilterLoad.Tax => A,
            _ => X,
        };

        private bool Fetch(ReadOnlySpan<byte> packet, ulong offset, int size)
        {
            if (offset + (ulong)size > (ulong)packet.Length)
            {
                return false;
            }

            ReadOnlySpan<byte> bytes = packet.Slice((int)offset, size);
            A = size switch
            {
                1 => bytes[0],
                2 => BinaryPrimitives.ReadUInt16BigEndian(bytes),
                _ => BinaryPrimitives.ReadUInt32BigEndian(bytes),
            };
            return true;
        }
    }
}
