using NftCluster.Lab;

namespace NftCluster.Tests.Truth;

/// <summary>tcpdump on one device, one process per direction: a frame does not say which way it went.</summary>
internal sealed class DeviceCapture : IDisposable
{
    private readonly PacketCapture _in;
    private readonly PacketCapture _out;
    private readonly string _device;

    public DeviceCapture(string netns, string device, string directory)
    {
        _device = device;
        _in = PacketCapture.Start(netns, device, Path.Combine(directory, $"{netns}-{device}-in.pcap"), direction: "in");
        try
        {
            _out = PacketCapture.Start(netns, device, Path.Combine(directory, $"{netns}-{device}-out.pcap"), direction: "out");
        }
        catch
        {
            _in.Dispose();
            throw;
        }
    }

    /// <summary>Returns when both files are whole; a capture that lost packets is no truth.</summary>
    public IReadOnlyList<(string Place, long TimestampNs, Packet Packet)> Stop() => [.. Read(_in, "in"), .. Read(_out, "out")];

    public void Dispose()
    {
        _in.Dispose();
        _out.Dispose();
    }

    private IEnumerable<(string Place, long TimestampNs, Packet Packet)> Read(PacketCapture capture, string direction)
    {
        capture.Stop();
        Assert.Equal(0, capture.DroppedByKernel);
        return PcapFile.Read(capture.File).Select(packet => ($"{_device} {direction}", packet.TimestampNs, CapturedPacket.Parse(packet)));
    }
}
