using System.Runtime.InteropServices;

namespace NftCluster.Node.Kernel.Native;

/// <summary>libbpf.so.1 (≥ 1.1): names and semantics are libbpf's. Integer results below zero are -errno.</summary>
internal static unsafe partial class LibBpf
{
    private const string Soname = "libbpf.so.1";

    public const int BPF_PROG_TYPE_KPROBE = 2;
    public const int BPF_PROG_TYPE_TRACING = 26;
    public const int BPF_PROG_TYPE_NETFILTER = 32;
    public const int BPF_TRACE_RAW_TP = 23;
    public const int BPF_TRACE_FENTRY = 24;
    public const int BPF_TRACE_KPROBE_MULTI = 42;
    public const int BPF_NETFILTER = 45;

    /// <summary>Returns null and sets errno on failure.</summary>
    [LibraryImport(Soname, SetLastError = true)]
    public static partial nint bpf_object__open_mem(byte* obj_buf, nuint obj_buf_sz, bpf_object_open_opts* opts);

    /// <summary>0, or -errno; verifier text goes to the print callback.</summary>
    [LibraryImport(Soname)]
    public static partial int bpf_object__load(nint obj);

    [LibraryImport(Soname)]
    public static partial void bpf_object__close(nint obj);

    /// <summary>Null when there is no further program.</summary>
    [LibraryImport(Soname)]
    public static partial nint bpf_object__next_program(nint obj, nint prog);

    [LibraryImport(Soname, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint bpf_object__find_program_by_name(nint obj, string name);

    [LibraryImport(Soname, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint bpf_object__find_map_by_name(nint obj, string name);

    [LibraryImport(Soname)]
    public static partial int bpf_program__set_autoload(nint prog, [MarshalAs(UnmanagedType.U1)] bool autoload);

    [LibraryImport(Soname, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int bpf_program__set_attach_target(nint prog, int attach_prog_fd, string attach_func_name);

    [LibraryImport(Soname)]
    public static partial int bpf_program__set_type(nint prog, int type);

    [LibraryImport(Soname)]
    public static partial int bpf_program__set_expected_attach_type(nint prog, int type);

    [LibraryImport(Soname)]
    public static partial int bpf_program__fd(nint prog);

    /// <summary>A link, or null with errno.</summary>
    [LibraryImport(Soname, SetLastError = true)]
    public static partial nint bpf_program__attach(nint prog);

    [LibraryImport(Soname, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint bpf_program__attach_kprobe_opts(nint prog, string func_name, bpf_kprobe_opts* opts);

    [LibraryImport(Soname, SetLastError = true)]
    public static partial nint bpf_program__attach_kprobe_multi_opts(nint prog, byte* pattern, bpf_kprobe_multi_opts* opts);

    [LibraryImport(Soname)]
    public static partial int bpf_link__destroy(nint link);

    [LibraryImport(Soname)]
    public static partial int bpf_map__fd(nint map);

    [LibraryImport(Soname)]
    public static partial int bpf_map__reuse_fd(nint map, int fd);

    [LibraryImport(Soname)]
    public static partial int bpf_map__set_max_entries(nint map, uint max_entries);

    /// <summary>The map's memory before load, e.g. of .rodata; null when it has none.</summary>
    [LibraryImport(Soname)]
    public static partial byte* bpf_map__initial_value(nint map, nuint* psize);

    [LibraryImport(Soname)]
    public static partial int bpf_map_update_elem(int fd, void* key, void* value, ulong flags);

    [LibraryImport(Soname)]
    public static partial int bpf_map_lookup_elem(int fd, void* key, void* value);

    /// <summary>File descriptor, or -errno.</summary>
    [LibraryImport(Soname, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int bpf_prog_load(int prog_type, string prog_name, string license, ulong* insns, nuint insn_cnt, bpf_prog_load_opts* opts);

    /// <summary>File descriptor, or -errno. Also attaches fentry programs (name null).</summary>
    [LibraryImport(Soname)]
    public static partial int bpf_raw_tracepoint_open(byte* name, int prog_fd);

    [LibraryImport(Soname)]
    public static partial int bpf_obj_get_info_by_fd(int bpf_fd, void* info, uint* info_len);

    [LibraryImport(Soname)]
    public static partial nint libbpf_set_print(nint fn);
}

[StructLayout(LayoutKind.Sequential)]
internal struct bpf_object_open_opts
{
    public nuint sz;
    public nint object_name;
    public byte relaxed_maps;
    public nint pin_root_path;
    public nint kconfig;
    public nint btf_custom_path;
    public nint kernel_log_buf;
    public nuint kernel_log_size;
    public uint kernel_log_level;
}

[StructLayout(LayoutKind.Sequential)]
internal struct bpf_kprobe_opts
{
    public nuint sz;
    public ulong bpf_cookie;
    public nuint offset;
    public byte retprobe;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct bpf_kprobe_multi_opts
{
    public nuint sz;
    public byte** syms;
    public nuint* addrs;
    public ulong* cookies;
    public nuint cnt;
    public byte retprobe;
}

/// <summary>Leading part of libbpf's structure; sz tells libbpf how much is there.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct bpf_prog_load_opts
{
    public nuint sz;
    public int attempts;
    public int expected_attach_type;
    public uint prog_btf_fd;
    public uint prog_flags;
    public uint prog_ifindex;
    public uint kern_version;
    public uint attach_btf_id;
    public uint attach_prog_fd;
    public uint attach_btf_obj_fd;
    public int* fd_array;
    public void* func_info;
    public uint func_info_cnt;
    public uint func_info_rec_size;
    public void* line_info;
    public uint line_info_cnt;
    public uint line_info_rec_size;
    public uint log_level;
    public uint log_size;
    public byte* log_buf;
}
