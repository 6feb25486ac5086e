using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using NftCluster.Cli.Cluster;
using NftCluster.Controller.Cluster;
using NftCluster.Controller.Hosting;
using NftCluster.Controller.Sessions;
using NftCluster.Controller.Stitching;
using NftCluster.Controller.Storage;
using NftCluster.Lab;
using NftCluster.Messages;
using NftCluster.Tests.Faults;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Truth;

/// <summary>
/// Two routers that share nothing: each an emulated machine with a kernel of its own, joined by a wire of QEMU's; a node in each, the
/// controller on this host. tests/kernels/run pair starts it.
/// </summary>
[Collection(TruthTestGroup.Name)]
public sealed partial class TwoKernelsTruthTests : IDisposable
{
    private const int Packets = 1_000;
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(4);

    private const int FirstPort = 20_000;

    private readonly TempDirectory _directory = new();
    private readonly List<RunningProgram> _programs = [];
    private int _count;
    private int _same;

    private string State => _directory.File("controller");

    public void Dispose()
    {
        _programs.ForEach(program => program.Dispose());
        _directory.Dispose();
    }

    [Fact]
    public async Task Every_packet_that_passed_both_is_stored_once_for_each()
    {
        (string near, string far) = Kernels();
        using var controller = RunningProgram.Start("controller", "--state-dir", State, "--address", "127.0.0.1", "--node-port", "0", "--web-port", "0");
        await controller.SaysAsync("the controller listens");
        JoinTokenView token = await LocalController.PostAsync(State, "/join-tokens", new TokenOrder(3600, 2), LocalJson.Default.TokenOrder, LocalJson.Default.JoinTokenView, TestContext.Current.CancellationToken);
        string port = controller.Errors.Select(line => NodePort().Match(line)).First(found => found.Success).Groups["port"].Value;
        (int nearEnd, int farEnd) = (FreePort(), FreePort());
        Boot(near, "near", nearEnd, farEnd, port, token.Token);
        Boot(far, "far", farEnd, nearEnd, port, token.Token);
        await UntilAsync(() => Task.FromResult(IsThere("near", "ready") && IsThere("far", "ready")), "both routers are up");
        ClusterSessionView session = await LocalController.PostAsync(State, "/sessions", new SessionRequest { Filter = "udp and dst portrange 20000-29999" }, LocalJson.Default.SessionRequest, LocalJson.Default.ClusterSessionView, TestContext.Current.CancellationToken);
        await UntilAsync(async () => (await SessionAsync(session.Id)).Nodes.Count(node => node.State == "RUNNING") == 2, "both nodes run the session");
        Touch("near", "go");
        Touch("far", "go");
        await UntilAsync(() => Task.FromResult(IsThere("near", "sent")), "all is sent");
        TraceQueries queries = new(Database.Open(State));
        await UntilAsync(async () => (await AllAsync(queries, session.Id)).Count >= Packets && (await NodesAsync()).All(node => node.Spool is { Frames: 0 }), "the spools are empty");
        await UntilAsync(() => IsStillAsync(queries, session.Id), "nothing more is stored");
        Touch("near", "end");
        Touch("far", "end");
        await UntilAsync(() => Task.FromResult(IsThere("near", "node.log") && IsThere("far", "node.log")), "both captures are whole", mayEnd: true);

        List<StoredTrace> all = await AllAsync(queries, session.Id);
        IReadOnlyList<NodeView> nodes = await NodesAsync();
        foreach ((string name, string side) in new[] { ("r1", "near"), ("r2", "far") })
        {
            NodeView node = nodes.Single(view => view.Name == name);
            int[] seen = [.. PcapFile.Read(Path.Combine(_directory.File(side), "seen.pcap")).Select(captured => CapturedPacket.Parse(captured).DestinationPort!.Value).Order()];
            int[] stored = [.. all.Where(trace => trace.Id.NodeId == node.Id).Select(trace => trace.Trace.DstPort!.Value).Order()];
            Assert.Equal(seen, stored);
            Assert.Equal(Enumerable.Range(FirstPort, Packets), seen);
            TestContext.Current.TestOutputHelper?.WriteLine($"{name} on Linux {node.KernelRelease}: {stored.Length} packets, each stored once");
        }
        // Joined by what the packets carry: the kernels share neither addresses of skbs nor a clock.
        List<JourneyRecord> journeys = [];
        await new JourneyQueries(Database.Open(State), queries).EachAsync(session.Id, nodes.ToDictionary(node => node.Id, node => node.Name, StringComparer.Ordinal), journeys.Add, TestContext.Current.CancellationToken);
        var ports = all.ToDictionary(trace => trace.Id.ToString(), trace => trace.Trace.DstPort!.Value, StringComparer.Ordinal);
        Assert.All(journeys, journey => Assert.Single(journey.Hops.Select(hop => ports[hop.TraceId]).Distinct()));
        JourneyRecord[] whole = [.. journeys.Where(journey => journey.Path is ["r1", "r2"] && journey.Hops[1].Join?.Kind == "exact")];
        TestContext.Current.TestOutputHelper?.WriteLine($"{whole.Length} of {Packets} packets are one journey r1 > r2, each joined for certain; latency between the two {whole.Average(journey => journey.LatencyNs) / 1e6:0.###} ms ± {whole.Average(journey => journey.LatencyBoundNs ?? 0) / 1e6:0.###} ms");
        foreach (JourneyRecord other in journeys.Except(whole).Take(6))
        {
            TestContext.Current.TestOutputHelper?.WriteLine($"not so: port {ports[other.Hops[0].TraceId]}, {other.Summary}; {string.Join(", ", other.Hops.Select(hop => $"{hop.NodeName} {hop.FirstSeenAligned} ± {hop.ClockBoundNs} in {hop.In?.Device} ttl {hop.In?.Ttl} out {hop.Out?.Device} ttl {hop.Out?.Ttl} for {hop.DurationNs} ns"))}");
        }
        Assert.InRange(whole.Length, Packets * 0.999, Packets);
        Assert.NotEqual(nodes[0].KernelRelease, nodes[1].KernelRelease, StringComparer.Ordinal);
    }

    private static (string Near, string Far) Kernels()
    {
        string[] given = (Environment.GetEnvironmentVariable("NFTCLUSTER_TEST_KERNELS") ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Assert.SkipWhen(given.Length != 2, "needs two emulated kernels: tests/kernels/run pair");
        return (given[0], given[1]);
    }

    /// <summary>The wire is a pair of UDP ports on loopback: a machine that has to be booted again takes its end up again.</summary>
    private void Boot(string kernel, string side, int here, int there, string port, string token)
    {
        string shared = _directory.File(side);
        Directory.CreateDirectory(shared);
        string root = Repository.Root;
        string network = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"-netdev dgram,id=w,local.type=inet,local.host=127.0.0.1,local.port={here},remote.type=inet,remote.host=127.0.0.1,remote.port={there} -device virtio-net-pci,netdev=w,mac=52:54:00:00:00:{(side == "near" ? "01" : "02")} -netdev user,id=u -device virtio-net-pci,netdev=u,mac=52:54:00:00:01:{(side == "near" ? "01" : "02")}");
        _programs.Add(RunningProgram.StartOther("env", $"KERNEL_LAB_OUT={shared}", "KERNEL_LAB_TIMEOUT=1200", $"KERNEL_LAB_QEMU={network}",
            $"{root}/tests/kernels/boot-kernel", kernel, $"bash {root}/tests/kernels/router {root} {side} https://10.0.2.2:{port} {token}"));
    }

    [GeneratedRegex("nodes on port (?<port>[0-9]+)", RegexOptions.ExplicitCapture, 5000)]
    private static partial Regex NodePort();

    private static int FreePort()
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private bool IsThere(string side, string name) => File.Exists(Path.Combine(_directory.File(side), name));

    private void Touch(string side, string name) => File.WriteAllText(Path.Combine(_directory.File(side), name), "");

    private Task<IReadOnlyList<NodeView>> NodesAsync() => LocalController.GetAsync(State, "/nodes", LocalJson.Default.IReadOnlyListNodeView, TestContext.Current.CancellationToken);

    /// <summary>As many as at the last question, ten times in a row.</summary>
    private async Task<bool> IsStillAsync(TraceQueries queries, string session)
    {
        const int Long = 10;
        int now = (await AllAsync(queries, session)).Count;
        (_count, _same) = (now, now == _count ? _same + 1 : 0);
        return _same >= Long;
    }

    private Task<ClusterSessionView> SessionAsync(string id) => LocalController.GetAsync(State, $"/sessions/{id}", LocalJson.Default.ClusterSessionView, TestContext.Current.CancellationToken);

    private static async Task<List<StoredTrace>> AllAsync(TraceQueries queries, string session)
    {
        List<StoredTrace> all = [];
        await foreach (StoredTrace stored in queries.AllAsync(session, FrameRange.All, TestContext.Current.CancellationToken))
        {
            all.Add(stored);
        }
        return all;
    }

    /// <summary>An emulated machine takes minutes for what takes this one seconds. One that has done all it is to do ends.</summary>
    private async Task UntilAsync(Func<Task<bool>> holds, string what, bool mayEnd = false)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(_patience);
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(500));
        while (!await holds())
        {
            Assert.False(mayEnd ? _programs.TrueForAll(program => program.HasExited) && !await holds() : _programs.Exists(program => program.HasExited), $"a machine ended before {what}: {string.Join(" || ", _programs.Select(program => program.Describe()))}");
            try
            {
                await timer.WaitForNextTickAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"not within {_patience.TotalMinutes} minutes: {what}; {_count} traces; {string.Join(" || ", _programs.Select(program => program.Describe()))}");
            }
        }
    }
}
