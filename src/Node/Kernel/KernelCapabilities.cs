using System.ComponentModel;
using NftCluster.Node.Kernel.Native;

namespace NftCluster.Node.Kernel;

/// <summary>Which backends this kernel allows, each found out by trying it; null = it works, else why not.</summary>
internal sealed record KernelCapabilities(string? WhyNoFentry, string? WhyNoKprobeMulti, string? WhyNoKprobe, string? WhyNoNetfilter)
{
    private const string KprobePmu = "/sys/bus/event_source/devices/kprobe/type";
    private const int BpfLinkCreate = 28;

    // r0 = 0 (1 for netfilter: NF_ACCEPT); exit
    private static readonly ulong[] _returnZero = [0x00000000_000000b7, 0x00000000_00000095];
    private static readonly ulong[] _returnOne = [0x00000001_000000b7, 0x00000000_00000095];

    /// <summary>Tries each backend on <paramref name="function"/>, any function that can be traced (its BTF id is given).</summary>
    public static KernelCapabilities Probe(string function, uint functionBtfId) => new(
        functionBtfId == 0 ? $"{function} is not in this kernel's BTF" : TryFentry(functionBtfId),
        TryKprobeMulti(function),
        File.Exists(KprobePmu) ? null : "this kernel has no kprobes (CONFIG_KPROBES)",
        TryNetfilter());

    public string? WhyNot(Backend backend) => backend switch
    {
        Backend.Fentry => WhyNoFentry,
        Backend.KprobeMulti => WhyNoKprobeMulti,
        Backend.Kprobe => WhyNoKprobe,
        Backend.Netfilter => WhyNoNetfilter,
        _ => null,
    };

    private static unsafe string? TryFentry(uint functionBtfId)
    {
        bpf_prog_load_opts options = new() { sz = (nuint)sizeof(bpf_prog_load_opts), expected_attach_type = LibBpf.BPF_TRACE_FENTRY, attach_btf_id = functionBtfId };
        int program = Load(LibBpf.BPF_PROG_TYPE_TRACING, _returnZero, &options);
        if (program < 0)
        {
            return $"the kernel refuses to load fentry programs: {Text(-program)}";
        }
        int link = LibBpf.bpf_raw_tracepoint_open(null, program);
        Close(program, link);
        return link >= 0 ? null : $"the kernel refuses to attach fentry programs: {Text(-link)}";
    }

    private static unsafe string? TryKprobeMulti(string function)
    {
        bpf_prog_load_opts options = new() { sz = (nuint)sizeof(bpf_prog_load_opts), expected_attach_type = LibBpf.BPF_TRACE_KPROBE_MULTI };
        int program = Load(LibBpf.BPF_PROG_TYPE_KPROBE, _returnZero, &options);
        if (program < 0)
        {
            return $"the kernel refuses to load kprobe programs: {Text(-program)}";
        }
        byte[] name = [.. System.Text.Encoding.ASCII.GetBytes(function), 0];
        int link;
        fixed (byte* symbol = name)
        {
            // union bpf_attr, link_create.kprobe_multi: prog_fd, target_fd, attach_type, flags, then flags, cnt, syms, addrs, cookies
            byte* symbols = symbol;
            ulong* attributes = stackalloc ulong[8];
            new Span<ulong>(attributes, 8).Clear();
            ((uint*)attributes)[0] = (uint)program;
            ((uint*)attributes)[2] = LibBpf.BPF_TRACE_KPROBE_MULTI;
            ((uint*)attributes)[5] = 1;
            attributes[3] = (ulong)&symbols;
            link = BpfSyscall.Call(BpfLinkCreate, attributes, 64);
        }
        Close(program, link);
        return link >= 0 ? null : $"this kernel has no kprobe.multi (CONFIG_FPROBE, Linux 5.18): {Text(-link)}";
    }

    private static unsafe string? TryNetfilter()
    {
        bpf_prog_load_opts options = new() { sz = (nuint)sizeof(bpf_prog_load_opts), expected_attach_type = LibBpf.BPF_NETFILTER };
        int program = Load(LibBpf.BPF_PROG_TYPE_NETFILTER, _returnOne, &options);
        Close(program, -1);
        return program >= 0 ? null : $"this kernel has no BPF netfilter links (CONFIG_NETFILTER_BPF_LINK, Linux 6.4): {Text(-program)}";
    }

    private static unsafe int Load(int type, ulong[] instructions, bpf_prog_load_opts* options)
    {
        fixed (ulong* code = instructions)
        {
            return LibBpf.bpf_prog_load(type, "nftcluster_try", "GPL", code, (nuint)instructions.Length, options);
        }
    }

    private static void Close(int program, int link)
    {
        if (link >= 0)
        {
            _ = Libc.close(link);
        }
        if (program >= 0)
        {
            _ = Libc.close(program);
        }
    }

    private static string Text(int errno) => new Win32Exception(errno).Message;
}
