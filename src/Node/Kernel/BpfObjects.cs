namespace NftCluster.Node.Kernel;

/// <summary>The compiled kernel half, carried inside the assembly (bpf/*.bpf.c, built by the project file).</summary>
internal static class BpfObjects
{
    /// <summary>Maps that the second object takes over from the first.</summary>
    public static readonly IReadOnlyList<string> SharedMaps =
        ["events", "control", "session_filters", "filter_nodes", "filter_reads", "tracked_skbs", "current_packets", "counters", "probe_hits", "candidates", "candidates_in_use"];

    /// <summary>Maps that the program for nft's messages takes over.</summary>
    public static readonly IReadOnlyList<string> NftSharedMaps = ["events", "control", "tracked_skbs", "current_packets", "counters"];

    public static byte[] NftMessages => Read("nft_messages.bpf.o");

    public static byte[] Tracing => Read("tracing.bpf.o");

    public static byte[] Kprobe => Read("kprobe.bpf.o");

    private static byte[] Read(string name)
    {
        using Stream stream = typeof(BpfObjects).Assembly.GetManifestResourceStream(name)
            ?? throw new KernelException($"{name} is missing from this build: build with clang installed");
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
