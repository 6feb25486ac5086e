using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using NftCluster.Node.Kernel.Native;

namespace NftCluster.Node.Kernel.Symbols;

/// <summary>One BTF (the kernel's, a module's or an object's), with an index from names to types that libbpf's linear search lacks.</summary>
internal sealed unsafe class BtfFile : IDisposable
{
    private readonly BtfHandle _handle;
    private readonly Lazy<NameTable> _index;
    private readonly uint _firstId;
    private readonly uint _typeCount;

    // firstId is 1, or for a module the kernel's number of types: a module's ids go on from there.
    private BtfFile(BtfHandle handle, uint firstId)
    {
        _handle = handle;
        _firstId = firstId;
        _typeCount = LibBtf.btf__type_cnt(handle.Pointer);
        _index = new Lazy<NameTable>(BuildIndex);
    }

    /// <summary>A raw BTF file such as /sys/kernel/btf/vmlinux.</summary>
    public static BtfFile? TryOpen(string path) => Own(() => LibBtf.btf__parse(path, 0), 1);

    /// <summary>The .BTF section of an object file.</summary>
    public static BtfFile? TryOpenObject(string path) => Own(() => LibBtf.btf__parse_elf(path, 0), 1);

    /// <summary>A loaded module's types on top of the kernel's; <paramref name="kernel"/> must outlive it.</summary>
    public static BtfFile? TryOpenModule(string module, BtfFile kernel) =>
        Own(() => LibBtf.btf__load_module_btf(module, kernel._handle), kernel._typeCount);

    /// <summary>The type's id, 0 when there is none of that name and kind.</summary>
    public uint Find(string name, BtfKind kind)
    {
        Span<byte> wanted = stackalloc byte[256];
        if (!Encoding.UTF8.TryGetBytes(name, wanted, out int length))
        {
            return 0;
        }

        wanted = wanted[..length];
        uint found = 0;
        NameTable table = _index.Value;
        for (int entry = table.First(NameTable.HashOf(wanted)); entry >= 0; entry = table.Next(entry))
        {
            BtfType* type = TypeOf((uint)entry + _firstId);
            if (type->Kind == kind && NameBytes(type->NameOffset).SequenceEqual(wanted))
            {
                found = (uint)entry + _firstId; // the chain runs backwards: the last match is the first type
            }
        }

        GC.KeepAlive(this);
        return found;
    }

    public BtfType* TypeOf(uint id) => LibBtf.btf__type_by_id(_handle.Pointer, id);

    public ReadOnlySpan<byte> NameBytes(uint offset) =>
        MemoryMarshal.CreateReadOnlySpanFromNullTerminated(LibBtf.btf__name_by_offset(_handle.Pointer, offset));

    public string NameAt(uint offset) => Encoding.UTF8.GetString(NameBytes(offset));

    public long SizeOf(uint id) => LibBtf.btf__resolve_size(_handle.Pointer, id);

    /// <summary>Through typedefs and qualifiers to what the type really is; 0 = void.</summary>
    public uint Resolve(uint id)
    {
        int resolved = LibBtf.btf__resolve_type(_handle.Pointer, id);
        return resolved < 0 ? 0 : (uint)resolved;
    }

    /// <summary>"sk_buff*", "u32", "fn*": qualifiers and the words struct, union and enum left out.</summary>
    public string TextOf(uint id)
    {
        int stars = 0;
        while (id != 0)
        {
            BtfType* type = TypeOf(id);
            switch (type->Kind)
            {
                case BtfKind.Pointer:
                    stars++;
                    id = type->SizeOrType;
                    break;
                case BtfKind.Const or BtfKind.Volatile or BtfKind.Restrict or BtfKind.TypeTag:
                    id = type->SizeOrType;
                    break;
                case BtfKind.FuncProto:
                    return "fn" + new string('*', stars);
                default:
                    return NameAt(type->NameOffset) + new string('*', stars);
            }
        }

        return "void" + new string('*', stars);
    }

    public void Dispose() => _handle.Dispose();

    private static BtfFile? Own(Func<BtfHandle> open, uint firstId)
    {
        BtfHandle handle;
        try
        {
            handle = open();
        }
        catch (DllNotFoundException e)
        {
            throw new KernelTypesException("libbpf.so.1 is missing: run `apt-get install libbpf1`", e);
        }

        if (handle.IsInvalid)
        {
            handle.Dispose();
            return null;
        }

        return new BtfFile(handle, firstId);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private NameTable BuildIndex()
    {
        nint btf = _handle.Pointer;
        var table = new NameTable((int)(_typeCount - _firstId));
        for (uint id = _firstId; id < _typeCount; id++)
        {
            BtfType* type = LibBtf.btf__type_by_id(btf, id);
            // Only what is ever asked for: functions, tracepoints (typedefs), enums, structs.
            if (type->NameOffset != 0
                && type->Kind is BtfKind.Func or BtfKind.Typedef or BtfKind.Struct or BtfKind.Enum or BtfKind.Enum64)
            {
                table.Add((int)(id - _firstId), NameTable.HashOf(NameBytes(type->NameOffset)));
            }
        }

        GC.KeepAlive(this);
        return table;
    }
}
