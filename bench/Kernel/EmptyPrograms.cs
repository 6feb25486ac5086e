using System.Runtime.InteropServices;
using NftCluster.Node.Kernel.Native;
using NftCluster.Node.Kernel.Probes;

namespace NftCluster.Bench.Kernel;

/// <summary>Programs that do nothing on the tracepoints of the catalog: what being called costs, beside which a tracer is measured.</summary>
internal sealed unsafe partial class EmptyPrograms : IDisposable
{
    /// <summary>r0 = 0; exit.</summary>
    private static readonly ulong[] _nothing = [0xb7, 0x95];

    private readonly List<int> _descriptors = [];

    public int Count => _descriptors.Count / 2;

    /// <summary>Tracepoints of the selection that this kernel does not have are left out, as the tracer leaves them out.</summary>
    public static EmptyPrograms Attach(IEnumerable<ProbeDefinition> rows)
    {
        EmptyPrograms programs = new();
        foreach (ProbeDefinition row in rows.Where(row => row.Kind == ProbeKind.Tracepoint))
        {
            programs.TryAttach(row.Name);
        }
        return programs;
    }

    public void Dispose()
    {
        foreach (int descriptor in _descriptors)
        {
            _ = Libc.close(descriptor);
        }
    }

    private void TryAttach(string tracepoint)
    {
        int type = libbpf_find_vmlinux_btf_id(tracepoint, LibBpf.BPF_TRACE_RAW_TP);
        if (type <= 0)
        {
            return;
        }
        bpf_prog_load_opts options = new() { sz = (nuint)sizeof(bpf_prog_load_opts), expected_attach_type = LibBpf.BPF_TRACE_RAW_TP, attach_btf_id = (uint)type };
        int program;
        fixed (ulong* code = _nothing)
        {
            program = LibBpf.bpf_prog_load(LibBpf.BPF_PROG_TYPE_TRACING, "nftcluster_nil", "GPL", code, (nuint)_nothing.Length, &options);
        }
        int link = program < 0 ? program : LibBpf.bpf_raw_tracepoint_open(null, program);
        if (link >= 0)
        {
            _descriptors.AddRange([link, program]);
        }
        else if (program >= 0)
        {
            _ = Libc.close(program);
        }
    }

    [LibraryImport("libbpf.so.1", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int libbpf_find_vmlinux_btf_id(string name, int attach_type);
}
