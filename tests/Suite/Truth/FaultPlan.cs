using System.Globalization;

namespace NftCluster.Tests.Truth;

/// <summary>What can befall a fleet.</summary>
internal enum Fault
{
    KillController,
    KillNode,
    CutNetwork,
    FillDisk,
    StepClock,
}

/// <summary>How much befalls it in one run: the short form, or what the environment asks for (tests/faults/run).</summary>
internal sealed record FaultPlan
{
    public int Seed { get; init; } = Number("SEED", 1);

    /// <summary>Packets/s that the client sends; each passes three routers.</summary>
    public int Rate { get; init; } = Number("RATE", 1_000);

    public int ControllerKills { get; init; } = Number("CONTROLLER_KILLS", 2);

    /// <summary>Each node is killed so often.</summary>
    public int NodeKills { get; init; } = Number("NODE_KILLS", 1);

    public int Cuts { get; init; } = Number("CUTS", 1);

    public TimeSpan CutFor { get; init; } = TimeSpan.FromSeconds(Number("CUT_SECONDS", 3));

    public int FullDisks { get; init; } = Number("FULL_DISKS", 1);

    /// <summary>One node's clock is set 5 s forward, 5 s back, and right again.</summary>
    public int ClockSteps { get; init; } = Number("CLOCK_STEPS", 1);

    /// <summary>In an order that the seed decides; the index names the node.</summary>
    public IReadOnlyList<(Fault Fault, int Node)> Order(Random random)
    {
        List<(Fault, int)> faults = [];
        int nodes = Fleet.Routers.Count;
        faults.AddRange(Enumerable.Range(0, ControllerKills).Select(_ => (Fault.KillController, 0)));
        faults.AddRange(Enumerable.Range(0, NodeKills * nodes).Select(i => (Fault.KillNode, i % nodes)));
        faults.AddRange(Enumerable.Range(0, Cuts).Select(i => (Fault.CutNetwork, i % nodes)));
        faults.AddRange(Enumerable.Range(0, FullDisks).Select(_ => (Fault.FillDisk, DiskNode)));
        faults.AddRange(Enumerable.Range(0, ClockSteps).Select(_ => (Fault.StepClock, ClockNode)));
        (Fault, int)[] order = [.. faults];
        random.Shuffle(order);
        return order;
    }

    /// <summary>The node whose spool has a disk of its own, which can be filled.</summary>
    public const int DiskNode = 2;

    /// <summary>The node whose clock can be set.</summary>
    public const int ClockNode = 1;

    private static int Number(string name, int otherwise) =>
        Environment.GetEnvironmentVariable($"NFTCLUSTER_FAULTS_{name}") is { Length: > 0 } text ? int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture) : otherwise;
}
