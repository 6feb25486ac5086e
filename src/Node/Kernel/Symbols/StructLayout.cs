using NftCluster.Node.Kernel.Native;

namespace NftCluster.Node.Kernel.Symbols;

/// <summary>One field of a C struct (ElementCount: an array's elements in all dimensions, else 1); an anonymous struct's or union's fields stand in its place.</summary>
internal sealed record StructField(string Name, int Offset, int Size, int ElementSize, int ElementCount);

/// <summary>Where a compiler put a struct's fields: what the contract test compares with the C# mirror.</summary>
internal sealed record StructLayout(string Name, int Size, IReadOnlyList<StructField> Fields)
{
    /// <summary>From the BTF of an object file that clang -g wrote; null when it has no such struct.</summary>
    public static StructLayout? OfObject(string path, string name)
    {
        using BtfFile file = BtfFile.TryOpenObject(path)
            ?? throw new KernelTypesException($"{path} has no readable BTF: compile it with `clang -g -target bpf`");
        return Of(file, name);
    }

    internal static unsafe StructLayout? Of(BtfFile file, string name)
    {
        uint id = file.Find(name, BtfKind.Struct);
        if (id == 0)
        {
            return null;
        }

        BtfType* type = file.TypeOf(id);
        var fields = new List<StructField>();
        AddFields(file, type, 0, fields);
        return new StructLayout(name, (int)type->SizeOrType, fields);
    }

    private static unsafe void AddFields(BtfFile file, BtfType* type, int baseOffset, List<StructField> fields)
    {
        var members = (BtfMember*)BtfType.Tail(type);
        for (int i = 0; i < type->Count; i++)
        {
            uint bits = type->HasBitFields ? members[i].Offset & 0xffffff : members[i].Offset;
            int offset = baseOffset + (int)(bits / 8);
            BtfType* inner = file.TypeOf(file.Resolve(members[i].Type));
            if (members[i].NameOffset == 0 && inner->Kind is BtfKind.Struct or BtfKind.Union)
            {
                AddFields(file, inner, offset, fields);
                continue;
            }

            int size = (int)file.SizeOf(members[i].Type);
            (int elementSize, int count) = Elements(file, members[i].Type, size);
            fields.Add(new StructField(file.NameAt(members[i].NameOffset), offset, size, elementSize, count));
        }
    }

    private static unsafe (int Size, int Count) Elements(BtfFile file, uint typeId, int size)
    {
        int count = 1;
        while (true)
        {
            BtfType* type = file.TypeOf(file.Resolve(typeId));
            if (type->Kind != BtfKind.Array)
            {
                return count <= 1 ? (size, 1) : ((int)file.SizeOf(typeId), count);
            }

            var array = (BtfArray*)BtfType.Tail(type);
            count *= (int)array->Count;
            typeId = array->Type;
        }
    }
}
