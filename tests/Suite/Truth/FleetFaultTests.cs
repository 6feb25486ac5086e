using NftCluster.Controller.Sessions;
using NftCluster.Controller.Storage;
using NftCluster.Lab;
using NftCluster.Tests.Lab;

namespace NftCluster.Tests.Truth;

/// <summary>
/// The promise of a fleet: whatever is killed, cut or full, every packet that tcpdump saw at a router is stored exactly once, or lies
/// inside a loss record of that router. The long form, with other numbers and another seed: tests/faults/run.
/// </summary>
[Collection(TruthTestGroup.Name)]
public sealed class FleetFaultTests
{
    /// <summary>tcpdump has a packet's time from before the first probe sees it.</summary>
    private const long StampedBeforeNs = 1_000_000;

    private readonly FaultPlan _plan = new();
    private readonly Random _random;
    private readonly Dictionary<string, List<long>> _killedAtNs = Fleet.Routers.ToDictionary(name => name, _ => new List<long>(), StringComparer.Ordinal);

    public FleetFaultTests() => _random = new Random(_plan.Seed);

    [Fact]
    public async Task Under_faults_every_packet_is_stored_once_or_lies_in_the_time_of_a_loss()
    {
        Root.Required();
        using Fleet fleet = new();
        using var disk = SmallDisk.Mount(fleet.StateOf(Fleet.Routers[FaultPlan.DiskNode]), mebibytes: 48);
        if (_plan.ClockSteps > 0)
        {
            fleet.GiveClock(Fleet.Routers[FaultPlan.ClockNode]);
        }
        await fleet.StartAsync();
        ClusterSessionView session = await fleet.OpenSessionAsync(NumberedLoad.Filter);
        PacketCapture[] captures = [.. Fleet.Routers.Select(name => PacketCapture.Start(fleet.Lab.NamespaceOf(name), "eth0", fleet.File($"{name}.pcap"), NumberedLoad.Filter, "in"))];
        try
        {
            using var load = NumberedLoad.Start(fleet.Lab, _plan.Rate);
            foreach ((Fault fault, int node) in _plan.Order(_random))
            {
                await PauseAsync(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(4));
                Say($"{fault} {Fleet.Routers[node]}");
                await BefallAsync(fleet, session.Id, fault, Fleet.Routers[node], disk);
            }
            await PauseAsync(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2));
            int sent = await load.StopAsync();
            foreach (PacketCapture capture in captures)
            {
                capture.Stop();
                Assert.Equal(0, capture.DroppedByKernel);
            }
            Assert.Equal("RUNNING", (await fleet.SessionAsync(session.Id)).State);
            await JudgeAsync(fleet, session.Id, [.. captures.Select(NumberedLedger.Read)], sent);
        }
        finally
        {
            Array.ForEach(captures, capture => capture.Dispose());
        }
    }

    private async Task BefallAsync(Fleet fleet, string session, Fault fault, string node, SmallDisk disk)
    {
        switch (fault)
        {
            case Fault.KillController:
                await fleet.KillControllerAsync();
                await PauseAsync(TimeSpan.Zero, TimeSpan.FromSeconds(3));
                await fleet.StartControllerAsync();
                return;
            case Fault.CutNetwork:
                Cut(fleet, "down");
                await PauseAsync(_plan.CutFor, _plan.CutFor);
                Cut(fleet, "up");
                return;
            case Fault.KillNode:
                _killedAtNs[node].Add(NowNs());
                await fleet.KillNodeAsync(node);
                await fleet.IsOfflineAsync(node);
                await PauseAsync(TimeSpan.Zero, TimeSpan.FromSeconds(3));
                fleet.StartNode(node);
                await fleet.RunsAsync(session, node);
                return;
            case Fault.StepClock:
                // Nothing may be lost for that.
                foreach (int offset in (int[])[5, -5, 0])
                {
                    fleet.ClockOf(node)!.Set(offset);
                    await PauseAsync(TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(5));
                }
                return;
            case Fault.FillDisk:
                // Without its controller the spool must grow: with it, the space of what was acknowledged is used again.
                Cut(fleet, "down");
                disk.Fill();
                await PauseAsync(TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(6));
                disk.Free();
                Cut(fleet, "up");
                return;
        }
    }

    private async Task JudgeAsync(Fleet fleet, string session, NumberedLedger[] ledgers, int sent)
    {
        TraceQueries queries = fleet.Queries();
        var nodes = (await fleet.NodesAsync()).ToDictionary(node => node.Name, node => node.Id, StringComparer.Ordinal);
        await fleet.UntilAsync(async () => (await fleet.NodesAsync()).All(node => node is { State: "connected", Spool.Frames: 0 }), "the spools are empty");
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        var byNode = Fleet.Routers.Select((name, i) => (nodes[name], ledgers[i])).ToDictionary(StringComparer.Ordinal);
        await foreach (StoredTrace stored in queries.AllAsync(session, FrameRange.All, cancellation))
        {
            byNode[stored.Id.NodeId].Store(stored);
        }
        IReadOnlyList<StoredLoss> losses = await queries.LossesAsync(session, cancellation);
        foreach (string name in Fleet.Routers)
        {
            NumberedLedger ledger = byNode[nodes[name]];
            TimeSpanNs[] told = [.. losses.Where(loss => loss.NodeId == nodes[name] && loss.Count != 0).Select(loss => new TimeSpanNs(loss.FromNs, loss.ToNs))];
            (int Number, long AtNs)[] missing = [.. ledger.Missing];
            Say($"{name}: {sent} sent, {ledger.Seen} seen by tcpdump, {missing.Length} not stored, {told.Length} losses: {string.Join(", ", losses.Where(loss => loss.NodeId == nodes[name]).GroupBy(loss => loss.Stage, StringComparer.Ordinal).Select(stage => $"{stage.Key} {stage.Count()}"))}");
            Assert.Equal(sent, ledger.Seen);
            Assert.Empty(ledger.Doubled);
            Assert.Empty(ledger.Unseen);
            Assert.All(missing, packet => Assert.Contains(told, loss => loss.Holds(packet.AtNs, StampedBeforeNs)));
            // A loss record must not be an excuse: how much was lost is unknown only where the node was killed, and elsewhere no more is missing than was counted.
            StoredLoss[] mine = [.. losses.Where(loss => loss.NodeId == nodes[name])];
            StoredLoss[] unknown = [.. mine.Where(loss => loss.Count is null)];
            StoredLoss[] counted = [.. mine.Where(loss => loss.Count > 0)];
            Assert.All(unknown, loss => Assert.Contains(_killedAtNs[name], killed => Holds(loss, killed)));
            (int Number, long AtNs)[] untouched = [.. missing.Where(packet => !Array.Exists(unknown, loss => Holds(loss, packet.AtNs)))];
            Assert.All(untouched, packet => Assert.Contains(counted, loss => Holds(loss, packet.AtNs)));
            Assert.InRange(untouched.Length, 0, counted.Sum(loss => loss.Count!.Value));
        }
    }

    private static void Cut(Fleet fleet, string state)
    {
        for (int i = 1; i <= Fleet.Routers.Count; i++)
        {
            Assert.Equal(0, Tool.Run("ip", ["-n", fleet.Lab.NamespaceOf("control"), "link", "set", $"m{i}", state]).ExitCode);
        }
    }

    /// <summary>The pace of the faults: nothing is waited for.</summary>
    private Task PauseAsync(TimeSpan least, TimeSpan most) => Task.Delay(least + ((most - least) * _random.NextDouble()), TestContext.Current.CancellationToken);

    private static void Say(string line) => TestContext.Current.TestOutputHelper?.WriteLine(line);

    private static long NowNs() => (DateTime.UtcNow - DateTime.UnixEpoch).Ticks * 100;

    private static bool Holds(StoredLoss loss, long timeNs) => new TimeSpanNs(loss.FromNs, loss.ToNs).Holds(timeNs, StampedBeforeNs);
}
