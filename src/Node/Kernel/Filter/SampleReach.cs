namespace NftCluster.Node.Kernel.Filter;

/// <summary>Tells filters that a header sample can answer from those it never can: better a refusal now than silence later.</summary>
internal static class SampleReach
{
    /// <summary>SAMPLE_LONG in bpf/trace_abi.h.</summary>
    public const int SampleBytes = 128;

    /// <summary>SKF_AD_OFF: loads from here up ask Linux about the packet (direction, device …) instead of reading it.</summary>
    private const uint ExtensionOffset = 0xfffff000;

    public static void Check(FilterProgram program)
    {
        foreach (ClassicInstruction instruction in program.Instructions)
        {
            if (instruction.IsJumpAlways && (int)instruction.K < 0)
            {
                throw new FilterException("protochain walks the headers in a loop, which the kernel half has not: use 'proto' or 'ip6 proto'");
            }

            if (instruction.IsPacketLoad)
            {
                CheckLoad(instruction);
            }
        }
    }

    private static void CheckLoad(ClassicInstruction load)
    {
        if (load.K >= ExtensionOffset)
        {
            throw new FilterException(
                "the filter asks for what is not in the packet (inbound, outbound, ifindex …): leave it out, or name a device with --dev");
        }

        int bytes = load.Class == ClassicClass.LoadX ? 1 : load.LoadBytes;
        ulong end = (ulong)load.K + (ulong)bytes;
        if (end > SampleBytes)
        {
            throw new FilterException(
                $"the filter reads byte {end - 1} of the frame, but only bytes 0 to {SampleBytes - 1} are looked at: test bytes nearer to its start");
        }
    }
}
