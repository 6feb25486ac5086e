using System.Runtime.InteropServices;

namespace NftCluster.Node.Kernel.Native;

/// <summary>The part of libbpf that reads BTF, the kernel's own description of its types.</summary>
internal static unsafe partial class LibBtf
{
    private const string Library = "libbpf.so.1";

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial BtfHandle btf__parse(string path, nint btfExt);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial BtfHandle btf__parse_elf(string path, nint btfExt);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial BtfHandle btf__load_module_btf(string module, BtfHandle vmlinux);

    [LibraryImport(Library)]
    public static partial void btf__free(nint btf);

    // The rest is called with a raw pointer (its owner keeps the handle alive) and never blocks.
    [LibraryImport(Library)]
    [SuppressGCTransition]
    public static partial uint btf__type_cnt(nint btf);

    [LibraryImport(Library)]
    [SuppressGCTransition]
    public static partial BtfType* btf__type_by_id(nint btf, uint id);

    [LibraryImport(Library)]
    [SuppressGCTransition]
    public static partial byte* btf__name_by_offset(nint btf, uint offset);

    [LibraryImport(Library)]
    [SuppressGCTransition]
    public static partial long btf__resolve_size(nint btf, uint id);

    [LibraryImport(Library)]
    [SuppressGCTransition]
    public static partial int btf__resolve_type(nint btf, uint id);
}

/// <summary>Owns one struct btf.</summary>
internal sealed class BtfHandle : SafeHandle
{
    public BtfHandle()
        : base(0, ownsHandle: true)
    {
    }

    public override bool IsInvalid => handle == 0;

    public nint Pointer => handle;

    protected override bool ReleaseHandle()
    {
        LibBtf.btf__free(handle);
        return true;
    }
}

/// <summary>struct btf_type of linux/btf.h; what follows it in memory depends on the kind.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct BtfType
{
    public uint NameOffset;
    public uint Info;
    public uint SizeOrType;

    public readonly BtfKind Kind => (BtfKind)((Info >> 24) & 0x1f);

    /// <summary>Members, values or parameters that follow.</summary>
    public readonly int Count => (int)(Info & 0xffff);

    /// <summary>Members carry bit-field sizes in the upper 8 bits of their offset.</summary>
    public readonly bool HasBitFields => (Info >> 31) != 0;

    public static unsafe void* Tail(BtfType* type) => type + 1;
}

/// <summary>BTF_KIND_*.</summary>
internal enum BtfKind
{
    Void = 0,
    Int = 1,
    Pointer = 2,
    Array = 3,
    Struct = 4,
    Union = 5,
    Enum = 6,
    Forward = 7,
    Typedef = 8,
    Volatile = 9,
    Const = 10,
    Restrict = 11,
    Func = 12,
    FuncProto = 13,
    Variable = 14,
    DataSection = 15,
    Float = 16,
    DeclTag = 17,
    TypeTag = 18,
    Enum64 = 19,
}

#pragma warning disable CS0649 // filled by libbpf, read through pointers
[StructLayout(LayoutKind.Sequential)]
internal struct BtfParam
{
    public uint NameOffset;
    public uint Type;
}

[StructLayout(LayoutKind.Sequential)]
internal struct BtfMember
{
    public uint NameOffset;
    public uint Type;
    public uint Offset;
}

[StructLayout(LayoutKind.Sequential)]
internal struct BtfEnumValue
{
    public uint NameOffset;
    public int Value;
}

[StructLayout(LayoutKind.Sequential)]
internal struct BtfEnum64Value
{
    public uint NameOffset;
    public uint Low;
    public uint High;
}

[StructLayout(LayoutKind.Sequential)]
internal struct BtfArray
{
    public uint Type;
    public uint IndexType;
    public uint Count;
}
#pragma warning restore CS0649
