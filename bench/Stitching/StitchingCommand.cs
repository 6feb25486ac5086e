using System.Diagnostics;
using NftCluster.Controller.Stitching;
using NftCluster.Controller.Storage;

namespace NftCluster.Bench.Stitching;

/// <summary><c>stitching</c>: hop records to journeys, on one core: packets through three routers, the second of which translates the source. Rates for windows of 10⁴ to 10⁷ records.</summary>
internal static class StitchingCommand
{
    private const int Routers = 3;
    private const long Start = 1_767_225_600_000_000_000;

    public static int Run(int most)
    {
        _ = Measure(10_000); // warm
        for (int records = 10_000; records <= most; records *= 10)
        {
            (double seconds, long bytes, int journeys) = Measure(records);
            Console.WriteLine($"{records:N0} hop records: {records / seconds:N0} records/s, {seconds / records * 1e6:N2} µs a record, {(double)bytes / records:N0} B a record that is open, {journeys:N0} journeys");
        }
        return 0;
    }

    private static (double Seconds, long Bytes, int Journeys) Measure(int records)
    {
        JourneyBuilder builder = new();
        GC.Collect();
        long before = GC.GetTotalMemory(forceFullCollection: true);
        var watch = Stopwatch.StartNew();
        int packets = records / Routers;
        for (int i = 0; i < packets; i++)
        {
            for (int router = 0; router < Routers; router++)
            {
                builder.Add(Hop(i, router));
            }
        }
        watch.Stop();
        long bytes = GC.GetTotalMemory(forceFullCollection: true) - before;
        watch.Start();
        IReadOnlyList<JourneyHops> journeys = builder.Build();
        watch.Stop();
        return journeys.Count == packets && journeys.All(journey => journey.Joins.Count == Routers - 1)
            ? (watch.Elapsed.TotalSeconds, bytes, journeys.Count)
            : throw new InvalidOperationException($"{journeys.Count} journeys of {packets} packets");
    }

    private static Hop Hop(int packet, int router)
    {
        long at = Start + (packet * 50_000L) + (router * 200_000L);
        return new Hop
        {
            Id = new TraceId($"r{router}", 1, (ulong)(packet / 500) + 1, packet % 500),
            FirstNs = at,
            LastNs = at + 60_000,
            ClockBoundNs = 500_000,
            In = Side(packet, router, isTranslated: router > 1),
            Out = Side(packet, router + 1, isTranslated: router >= 1),
            Verdict = "forwarded",
            IsComplete = true,
        };
    }

    private static HopSide Side(int packet, int routed, bool isTranslated) => new()
    {
        Device = "eth0",
        Endpoints = new Endpoints(17, (UInt128)0xffff0a000001UL + (isTranslated ? 77u : 0u), (UInt128)0xffff0a000002UL, (ushort)(20_000 + (packet % 200)), 5_000),
        Wire = ((ulong)packet * 0x9E3779B97F4A7C15) ^ (isTranslated ? 0x5555UL : 0),
        Content = (ulong)packet * 0xC2B2AE3D27D4EB4F,
        Ttl = 64 - routed,
        IpId = packet % 65_536,
        PayloadLength = 100,
    };
}
