using NftCluster.Lab;

namespace NftCluster.Tests.Lab;

public sealed class PcapFileTests
{
    private const string LittleMicroseconds = "D4C3B2A1" + "02000400" + "00000000" + "00000000" + "FFFF0000" + "01000000";
    private const string BigNanoseconds = "A1B23C4D" + "00020004" + "00000000" + "00000000" + "0000FFFF" + "00000001";

    [Theory]
    [InlineData(LittleMicroseconds + "01000000" + "02000000" + "02000000" + "03000000" + "AABB", 1_000_002_000L)]
    [InlineData(BigNanoseconds + "00000001" + "00000002" + "00000002" + "00000003" + "AABB", 1_000_000_002L)]
    public void Both_byte_orders_and_resolutions_are_read(string hex, long timestampNs) => WithFile(hex, file =>
    {
        PcapPacket packet = Assert.Single(PcapFile.Read(file));

        Assert.Equal(timestampNs, packet.TimestampNs);
        Assert.Equal([0xaa, 0xbb], packet.Bytes.ToArray());
        Assert.Equal(3, packet.OriginalLength);
    });

    [Theory]
    [InlineData("", "not a pcap file")]
    [InlineData("0A0D0D0A" + "02000400" + "00000000" + "00000000" + "FFFF0000" + "01000000", "pcapng is not read")]
    [InlineData(LittleMicroseconds + "01000000" + "02000000" + "02000000" + "03000000" + "AA", "ends inside packet 1")]
    public void A_damaged_file_is_refused(string hex, string expected) => WithFile(hex, file =>
    {
        LabException exception = Assert.Throws<LabException>(() => PcapFile.Read(file));

        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
    });

    private static void WithFile(string hex, Action<string> test)
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(file, Convert.FromHexString(hex));
            test(file);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
