using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;

namespace NftCluster.Node.Kernel.Native;

/// <summary>Owns one libbpf object: open, aim and choose programs, load, then its maps and programs until disposed.</summary>
internal sealed unsafe class BpfObject : SafeHandle
{
    private BpfObject(nint pointer)
        : base(0, ownsHandle: true) => SetHandle(pointer);

    public override bool IsInvalid => handle == 0;

    public static BpfObject Open(byte[] elf, string name)
    {
        byte[] nameBytes = [.. Encoding.ASCII.GetBytes(name), 0];
        fixed (byte* bytes = elf)
        fixed (byte* nameText = nameBytes)
        {
            bpf_object_open_opts options = new() { sz = (nuint)sizeof(bpf_object_open_opts), object_name = (nint)nameText };
            nint pointer = LibBpf.bpf_object__open_mem(bytes, (nuint)elf.Length, &options);
            return pointer != 0
                ? new BpfObject(pointer)
                : throw new KernelException($"libbpf cannot open the BPF object {name}: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");
        }
    }

    public nint Program(string name) => LibBpf.bpf_object__find_program_by_name(handle, name) is not 0 and nint program
        ? program
        : throw new KernelException($"the BPF object has no program {name}: it was built from other sources");

    public nint Map(string name) => LibBpf.bpf_object__find_map_by_name(handle, name) is not 0 and nint map
        ? map
        : throw new KernelException($"the BPF object has no map {name}: it was built from other sources");

    /// <summary>Nothing is loaded unless it is chosen afterwards.</summary>
    public void ChooseNone()
    {
        for (nint program = 0; (program = LibBpf.bpf_object__next_program(handle, program)) != 0;)
        {
            _ = LibBpf.bpf_program__set_autoload(program, false);
        }
    }

    /// <summary>The only constant in a read-only map, to be written before load.</summary>
    public Span<T> ReadOnlyData<T>(string map, int count)
        where T : unmanaged
    {
        nuint size;
        byte* start = LibBpf.bpf_map__initial_value(Map(map), &size);
        return count * sizeof(T) <= (int)size
            ? new Span<T>(start, count)
            : throw new KernelException($"{map} is smaller than its contract: the object was built from other sources");
    }

    /// <summary>0, or the errno of the first program the kernel refused.</summary>
    public int Load() => -LibBpf.bpf_object__load(handle);

    protected override bool ReleaseHandle()
    {
        LibBpf.bpf_object__close(handle);
        return true;
    }
}

/// <summary>Owns an attachment; closing it detaches. Links made by bpf(2) itself are plain descriptors.</summary>
internal sealed class BpfLink : SafeHandle
{
    private readonly bool _isDescriptor;

    private BpfLink(nint value, bool isDescriptor)
        : base(-1, ownsHandle: true)
    {
        _isDescriptor = isDescriptor;
        SetHandle(value);
    }

    public override bool IsInvalid => handle is -1 or 0;

    public static BpfLink OfLibbpf(nint link) => new(link, isDescriptor: false);

    public static BpfLink OfDescriptor(int fd) => new(fd, isDescriptor: true);

    protected override bool ReleaseHandle() => (_isDescriptor ? Libc.close((int)handle) : LibBpf.bpf_link__destroy(handle)) == 0;
}
