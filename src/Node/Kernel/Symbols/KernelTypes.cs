using System.Globalization;
using NftCluster.Node.Kernel.Native;

namespace NftCluster.Node.Kernel.Symbols;

/// <summary>What the running kernel's BTF says: where a function's or tracepoint's arguments are, what an enum's numbers mean.</summary>
internal sealed unsafe class KernelTypes : IDisposable
{
    public const string DefaultDirectory = "/sys/kernel/btf";

    private readonly BtfFile _kernel;
    private readonly string _directory;
    private readonly Dictionary<string, BtfFile?> _modules = new(StringComparer.Ordinal);

    private KernelTypes(BtfFile kernel, string directory)
    {
        _kernel = kernel;
        _directory = directory;
    }

    public static KernelTypes Load(string directory = DefaultDirectory)
    {
        string path = Path.Combine(directory, "vmlinux");
        if (!File.Exists(path))
        {
            throw new KernelTypesException($"{path} is missing: the kernel must be built with CONFIG_DEBUG_INFO_BTF=y (Debian's kernels are)");
        }

        BtfFile kernel = BtfFile.TryOpen(path)
            ?? throw new KernelTypesException($"{path} cannot be read as BTF: the kernel must be built with CONFIG_DEBUG_INFO_BTF=y and libbpf be at least 1.0");
        return new KernelTypes(kernel, directory);
    }

    /// <summary>Whether a module's types can be looked up now: it is loaded and has BTF.</summary>
    public bool HasModule(string module) => Module(module) is not null;

    /// <summary>The BTF id of a function of the kernel proper, 0 when there is none of that name.</summary>
    public uint IdOfFunction(string name) => (uint)_kernel.Find(name, BtfKind.Func);

    /// <summary>The BTF id that a tp_btf program is aimed at, 0 when there is no such tracepoint.</summary>
    public uint IdOfTracepoint(string name) => (uint)_kernel.Find("btf_trace_" + name, BtfKind.Typedef);

    /// <summary>Each argument's type ("sk_buff*"), null when the kernel (or the module, where one is named) has no such function.</summary>
    public IReadOnlyList<string>? ArgumentsOfFunction(string name, string? module = null)
    {
        uint found = _kernel.Find(name, BtfKind.Func);
        if (found != 0)
        {
            return ArgumentsOf(_kernel, _kernel.TypeOf(found)->SizeOrType, skip: 0);
        }

        if (module is null || Module(module) is not { } file)
        {
            return null;
        }

        found = file.Find(name, BtfKind.Func);
        return found == 0 ? null : ArgumentsOf(file, file.TypeOf(found)->SizeOrType, skip: 0);
    }

    /// <summary>Each argument's type as a BPF program on the tracepoint sees it, null when there is no such tracepoint.</summary>
    public IReadOnlyList<string>? ArgumentsOfTracepoint(string name, string? module = null)
    {
        BtfFile file = _kernel;
        uint found = file.Find("btf_trace_" + name, BtfKind.Typedef);
        if (found == 0 && module is not null && Module(module) is { } loaded)
        {
            file = loaded;
            found = file.Find("btf_trace_" + name, BtfKind.Typedef);
        }

        if (found == 0)
        {
            return null;
        }

        // typedef void (*btf_trace_NAME)(void *__data, arguments…): the first parameter is the tracer's own.
        BtfType* pointer = file.TypeOf(file.Resolve(found));
        return pointer->Kind == BtfKind.Pointer ? ArgumentsOf(file, file.Resolve(pointer->SizeOrType), skip: 1) : null;
    }

    /// <summary>An argument's position, −1 when absent; "int#2" is the second argument of type int.</summary>
    public static int PositionOf(IReadOnlyList<string> arguments, string wanted)
    {
        int hash = wanted.IndexOf('#', StringComparison.Ordinal);
        string type = hash < 0 ? wanted : wanted[..hash];
        int remaining = hash < 0 ? 1 : int.Parse(wanted.AsSpan(hash + 1), CultureInfo.InvariantCulture);
        for (int i = 0; i < arguments.Count; i++)
        {
            if (arguments[i] == type && --remaining == 0)
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>An enum's values and names, null when the kernel (or the module) has no such enum.</summary>
    public IReadOnlyDictionary<long, string>? ValuesOfEnum(string name, string? module = null)
    {
        BtfFile? file = module is null ? _kernel : Module(module);
        if (file is null)
        {
            return null;
        }

        var values = new Dictionary<long, string>();
        uint id = file.Find(name, BtfKind.Enum);
        if (id != 0)
        {
            BtfType* type = file.TypeOf(id);
            var tail = (BtfEnumValue*)BtfType.Tail(type);
            for (int i = 0; i < type->Count; i++)
            {
                values.TryAdd(tail[i].Value, file.NameAt(tail[i].NameOffset));
            }

            return values;
        }

        id = file.Find(name, BtfKind.Enum64);
        if (id == 0)
        {
            return null;
        }

        BtfType* wide = file.TypeOf(id);
        var wideTail = (BtfEnum64Value*)BtfType.Tail(wide);
        for (int i = 0; i < wide->Count; i++)
        {
            values.TryAdd((long)(((ulong)wideTail[i].High << 32) | wideTail[i].Low), file.NameAt(wideTail[i].NameOffset));
        }

        return values;
    }

    /// <summary>Size and fields of one of the kernel's structs, null when there is none of that name.</summary>
    public StructLayout? LayoutOfStruct(string name) => StructLayout.Of(_kernel, name);

    public void Dispose()
    {
        foreach (BtfFile? module in _modules.Values)
        {
            module?.Dispose();
        }

        _kernel.Dispose();
    }

    private BtfFile? Module(string name)
    {
        if (!_modules.TryGetValue(name, out BtfFile? file))
        {
            // libbpf asks the running kernel, so only there; and it complains aloud about a module without BTF.
            file = string.Equals(_directory, DefaultDirectory, StringComparison.Ordinal) && File.Exists(Path.Combine(_directory, name))
                ? BtfFile.TryOpenModule(name, _kernel)
                : null;
            _modules.Add(name, file);
        }

        return file;
    }

    private static string[] ArgumentsOf(BtfFile file, uint prototype, int skip)
    {
        BtfType* type = file.TypeOf(prototype);
        if (type == null || type->Kind != BtfKind.FuncProto)
        {
            return [];
        }

        var parameters = (BtfParam*)BtfType.Tail(type);
        string[] texts = new string[Math.Max(0, type->Count - skip)];
        for (int i = 0; i < texts.Length; i++)
        {
            texts[i] = file.TextOf(parameters[i + skip].Type);
        }

        return texts;
    }
}
