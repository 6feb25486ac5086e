using NftCluster.Node.Kernel.Native;
using NftCluster.Node.Kernel.Symbols;

namespace NftCluster.Node.Kernel;

/// <summary>Whether this kernel lets a program load from skb->head itself (newer ones do, with faults read as zero), found out by trying.</summary>
internal static unsafe class DirectMemory
{
    private const string Tracepoint = "netif_receive_skb";

    public static bool IsAllowed(KernelTypes types)
    {
        StructLayout? skb = types.LayoutOfStruct("sk_buff");
        uint target = types.IdOfTracepoint(Tracepoint);
        if (target == 0 || skb?.Fields.FirstOrDefault(f => f.Name == "head") is not { } head)
        {
            return false;
        }
        ulong* code = stackalloc ulong[]
        {
            0x1179, // r1 = *(u64 *)(r1 + 0): the skb
            0x1179 | (ulong)head.Offset << 16, // r1 = skb->head
            0x1079, // r0 = *(u64 *)(r1 + 0)
            0x00b7, // r0 = 0
            0x0095, // exit
        };
        bpf_prog_load_opts options = new() { sz = (nuint)sizeof(bpf_prog_load_opts), expected_attach_type = LibBpf.BPF_TRACE_RAW_TP, attach_btf_id = target };
        int program = LibBpf.bpf_prog_load(LibBpf.BPF_PROG_TYPE_TRACING, "nftcluster_try", "GPL", code, 5, &options);
        if (program >= 0)
        {
            _ = Libc.close(program);
        }
        return program >= 0;
    }
}
