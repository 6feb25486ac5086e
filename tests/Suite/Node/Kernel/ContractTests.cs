using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using NftCluster.Node.Kernel;
using NftCluster.Node.Kernel.Filter;
using NftCluster.Node.Kernel.Native;
using NftCluster.Node.Kernel.Probes;
using NftCluster.Node.Kernel.Symbols;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Node.Kernel;

/// <summary>Both halves mean the same bytes: bpf/trace_abi.h as clang laid it out, and its C# mirror.</summary>
public sealed partial class ContractTests : IDisposable
{
    private static readonly string[] _objects = ["tracing", "kprobe"];

    private static readonly (string Name, Type Mirror)[] _structs =
    [
        ("probe_desc", typeof(ProbeDesc)),
        ("packet_event", typeof(PacketEvent)),
        ("header_sample", typeof(HeaderSample)),
        ("task_sample", typeof(TaskSample)),
        ("filter_node", typeof(FilterNode)),
        ("session_filter", typeof(SessionFilter)),
        ("question", typeof(Question)),
        ("control", typeof(Control)),
        ("cpu_counters", typeof(CpuCounters)),
    ];

    private static readonly (string Name, Type Mirror)[] _nftStructs =
    [
        ("packet_event", typeof(PacketEvent)),
        ("header_sample", typeof(HeaderSample)),
        ("nft_step", typeof(NftStep)),
        ("nft_probe_setup", typeof(NftProbeSetup)),
    ];

    private readonly TempDirectory _directory = new();

    public static TheoryData<string, string> Structs => [.. from o in _objects from s in _structs select (o, s.Name), .. _nftStructs.Select(s => ("nft_probe", s.Name))];

    [Theory]
    [MemberData(nameof(Structs))]
    public void A_struct_has_the_same_fields_at_the_same_places_in_C_and_in_CSharp(string compiled, string name)
    {
        var layout = StructLayout.OfObject(Write(compiled), name);
        Type mirror = _structs.Concat(_nftStructs).First(s => s.Name == name).Mirror;

        Assert.True(layout is not null, $"{compiled}.bpf.o has no BTF of struct {name}: let a global of the .bpf.c point to it");
        // The sample's bytes follow its head in the record; C# slices them.
        StructField[] shared = [.. layout.Fields.Where(f => !(name == "header_sample" && f.Name == "bytes"))];
        // FilterNode leaves its padding to the compiler.
        shared = [.. shared.Where(f => !(name == "filter_node" && f.Name == "pad"))];
        Assert.Equal(shared.Select(f => $"{Pascal(f.Name)} at {f.Offset}, {f.Size} bytes"), Fields(mirror), StringComparer.Ordinal);
        int tail = name == "header_sample" ? layout.Fields[^1].Size : 0;
        Assert.Equal(layout.Size - tail, SizeOf(mirror));
    }

    /// <summary>Arrays of structs in the middle, where Marshal.OffsetOf does not know inline arrays: measured on a real one.</summary>
    [Fact]
    public void The_setup_of_the_tracing_object_has_its_fields_at_the_same_places()
    {
        var layout = StructLayout.OfObject(Write("tracing"), "tracing_setup");
        TracingSetup setup = default;
        string[] mirror =
        [
            At(ref setup, ref setup.TracepointSlots, nameof(setup.TracepointSlots)),
            At(ref setup, ref setup.FentrySlots, nameof(setup.FentrySlots)),
            At(ref setup, ref setup.NetfilterSlots, nameof(setup.NetfilterSlots)),
            At(ref setup, ref setup.DirectMemory, nameof(setup.DirectMemory)),
            At(ref setup, ref setup.Pad, nameof(setup.Pad)),
        ];

        Assert.NotNull(layout);
        Assert.Equal(layout.Fields.Select(f => $"{Pascal(f.Name)} at {f.Offset}, {f.Size} bytes"), mirror, StringComparer.Ordinal);
        Assert.Equal(layout.Size, Unsafe.SizeOf<TracingSetup>());
    }

    [Fact]
    public void What_conntrack_knew_has_its_fields_at_the_same_places()
    {
        var layout = StructLayout.OfObject(Write("nft_probe"), "nft_conntrack");
        NftConntrack whole = default;
        string[] mirror =
        [
            At(ref whole, ref whole.Original, nameof(whole.Original)),
            At(ref whole, ref whole.Reply, nameof(whole.Reply)),
            At(ref whole, ref whole.Status, nameof(whole.Status)),
            At(ref whole, ref whole.Info, nameof(whole.Info)),
            At(ref whole, ref whole.Pad, nameof(whole.Pad)),
        ];

        Assert.NotNull(layout);
        Assert.Equal(layout.Fields.Select(f => $"{Pascal(f.Name)} at {f.Offset}, {f.Size} bytes"), mirror, StringComparer.Ordinal);
        Assert.Equal(layout.Size, Unsafe.SizeOf<NftConntrack>());
    }

    [Fact]
    public void Constants_of_the_header_are_those_of_the_mirror()
    {
        var header = Defines().Matches(File.ReadAllText(Repository.PathOf("bpf/trace_abi.h")))
            .ToDictionary(m => Pascal(m.Groups["name"].Value.ToLowerInvariant()), m => long.Parse(m.Groups["value"].ValueSpan, CultureInfo.InvariantCulture), StringComparer.Ordinal);
        FieldInfo[] mirror = [.. typeof(TraceAbi).GetFields(BindingFlags.Public | BindingFlags.Static).Where(f => f.IsLiteral)];

        Assert.True(mirror.Length >= 10);
        Assert.All(mirror, field => Assert.Equal(header[field.Name], Convert.ToInt64(field.GetRawConstantValue(), CultureInfo.InvariantCulture)));
        Assert.Equal(FilterNode.MaxNodes, header["MaxFilterNodes"]);
        Assert.Equal(ProbeCatalog.Capacity, header["MaxProbes"]);
        Assert.Equal(header["CommLength"], SizeOf(typeof(TaskSample.CommBytes)));
    }

    [Theory]
    [InlineData("probe_role", "ROLE_", typeof(ProbeRole))]
    [InlineData("param_kind", "PARAM_", typeof(ParamKind))]
    [InlineData("filter_load", "LOAD_", typeof(FilterLoad))]
    [InlineData("filter_alu", "ALU_", typeof(FilterAlu))]
    [InlineData("filter_test", "TEST_", typeof(FilterTest))]
    public void Enumerations_of_the_header_are_those_of_the_mirror(string name, string prefix, Type mirror)
    {
        string body = Comments().Replace(Regex.Match(File.ReadAllText(Repository.PathOf("bpf/trace_abi.h")), $$"""enum {{name}} \{(?<body>.*?)\};""", RegexOptions.Singleline | RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(5)).Groups["body"].Value, "");
        List<string> header = [];
        long next = 0;
        foreach (string entry in body.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = entry.Split('=', StringSplitOptions.TrimEntries);
            next = parts.Length == 2 ? long.Parse(parts[1], CultureInfo.InvariantCulture) : next;
            header.Add($"{Pascal(parts[0][prefix.Length..].ToLowerInvariant())} = {next++}");
        }

        Assert.Equal(header, Enum.GetValues(mirror).Cast<object>().Select(v => $"{v} = {Convert.ToInt64(v, CultureInfo.InvariantCulture)}"), StringComparer.Ordinal);
    }

    [Fact]
    public void Every_shared_map_is_in_both_objects()
    {
        foreach (byte[] bytes in new[] { BpfObjects.Tracing, BpfObjects.Kprobe })
        {
            using var opened = BpfObject.Open(bytes, "contract");
            Assert.All(BpfObjects.SharedMaps, map => Assert.NotEqual(0, opened.Map(map)));
        }
    }

    public void Dispose() => _directory.Dispose();

    private string Write(string compiled)
    {
        string path = _directory.File($"{compiled}.bpf.o");
        File.WriteAllBytes(path, compiled switch { "tracing" => BpfObjects.Tracing, "kprobe" => BpfObjects.Kprobe, _ => BpfObjects.NftProbe });
        return path;
    }

    private static string At<TWhole, T>(ref TWhole whole, ref T field, string name)
        where TWhole : unmanaged
        where T : unmanaged =>
        $"{name} at {Unsafe.ByteOffset(ref Unsafe.As<TWhole, byte>(ref whole), ref Unsafe.As<T, byte>(ref field))}, {Unsafe.SizeOf<T>()} bytes";

    private static IEnumerable<string> Fields(Type mirror)
    {
        foreach (FieldInfo field in mirror.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic).OrderBy(f => Marshal.OffsetOf(mirror, f.Name)))
        {
            string name = field.Name.StartsWith('<') ? field.Name[1..field.Name.IndexOf('>', StringComparison.Ordinal)] : field.Name;
            yield return $"{name} at {Marshal.OffsetOf(mirror, field.Name)}, {SizeOf(field.FieldType.IsEnum ? Enum.GetUnderlyingType(field.FieldType) : field.FieldType)} bytes";
        }
    }

    // Marshal.SizeOf counts an inline array's element once.
    private static int SizeOf(Type type) =>
        (int)typeof(Unsafe).GetMethod(nameof(Unsafe.SizeOf))!.MakeGenericMethod(type).Invoke(null, null)!;

    private static string Pascal(string name)
    {
        StringBuilder pascal = new();
        foreach (string word in name.Split('_'))
        {
            pascal.Append(char.ToUpperInvariant(word[0])).Append(word.AsSpan(1));
        }
        return pascal.ToString();
    }

    [GeneratedRegex(@"^#define (?<name>[A-Z_]+)\s+(?<value>[0-9]+)\b", RegexOptions.Multiline | RegexOptions.ExplicitCapture, 5000)]
    private static partial Regex Defines();

    [GeneratedRegex(@"/\*.*?\*/", RegexOptions.Singleline, 5000)]
    private static partial Regex Comments();
}
