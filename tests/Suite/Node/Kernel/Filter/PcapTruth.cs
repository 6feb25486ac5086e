using NftCluster.Node.Kernel.Native;

namespace NftCluster.Tests.Node.Kernel.Filter;

/// <summary>What libpcap itself says of a packet: the answer all others must give.</summary>
internal sealed unsafe class PcapTruth : IDisposable
{
    private LibPcap.BpfProgram _program;

    public PcapTruth(string expression)
    {
        using PcapHandle pcap = LibPcap.pcap_open_dead(LibPcap.DLT_EN10MB, 65535);
        Assert.Equal(0, LibPcap.pcap_compile(pcap, out _program, expression, 1, LibPcap.PCAP_NETMASK_UNKNOWN));
    }

    public bool Matches(ReadOnlySpan<byte> packet, uint frameLength)
    {
        var header = new LibPcap.PacketHeader { caplen = (uint)packet.Length, len = frameLength };
        fixed (byte* bytes = packet)
        {
            byte nothing = 0;
            return LibPcap.pcap_offline_filter(_program, header, bytes == null ? &nothing : bytes) != 0;
        }
    }

    public void Dispose() => LibPcap.pcap_freecode(ref _program);
}
