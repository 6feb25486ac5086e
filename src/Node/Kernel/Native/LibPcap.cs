using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace NftCluster.Node.Kernel.Native;

/// <summary>The few functions of libpcap that turn a pcap-filter(7) expression into classic BPF; nothing is captured with it.</summary>
internal static unsafe partial class LibPcap
{
    public const int DLT_EN10MB = 1;
    public const uint PCAP_NETMASK_UNKNOWN = 0xffffffff;

    private const string Library = "libpcap.so.0.8";

    [LibraryImport(Library)]
    public static partial PcapHandle pcap_open_dead(int linktype, int snaplen);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int pcap_compile(PcapHandle pcap, out BpfProgram program, string expression, int optimize, uint netmask);

    [LibraryImport(Library)]
    public static partial void pcap_freecode(ref BpfProgram program);

    /// <summary>The text belongs to the handle and changes with the next call on it.</summary>
    [LibraryImport(Library)]
    public static partial nint pcap_geterr(PcapHandle pcap);

    [LibraryImport(Library)]
    public static partial void pcap_close(nint pcap);

    /// <summary>libpcap's own interpreter: not used by the product, it is the truth that tests compare with.</summary>
    [LibraryImport(Library)]
    public static partial int pcap_offline_filter(in BpfProgram program, in PacketHeader header, byte* packet);

    /// <summary>struct bpf_program: instructions that libpcap allocated.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct BpfProgram
    {
        public uint bf_len;
        public nint bf_insns;
    }

    /// <summary>struct pcap_pkthdr.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct PacketHeader
    {
        public nint tv_sec;
        public nint tv_usec;
        public uint caplen;
        public uint len;
    }
}

/// <summary>Owns a pcap_t.</summary>
internal sealed class PcapHandle() : SafeHandleZeroOrMinusOneIsInvalid(ownsHandle: true)
{
    protected override bool ReleaseHandle()
    {
        LibPcap.pcap_close(handle);
        return true;
    }
}
