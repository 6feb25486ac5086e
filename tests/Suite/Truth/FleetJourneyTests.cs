using System.Net;
using System.Net.Sockets;
using NftCluster.Controller.Sessions;
using NftCluster.Controller.Stitching;
using NftCluster.Controller.Storage;
using NftCluster.Lab;
using NftCluster.Messages;
using NftCluster.Tests.Faults;
using NftCluster.Tests.Lab;

namespace NftCluster.Tests.Truth;

/// <summary>Real packets through the topologies of lab/: what the controller joins is what tcpdump saw. No join is wrong; of what is called whole, at most one in a thousand may be missing.</summary>
[Collection(TruthTestGroup.Name)]
public sealed class FleetJourneyTests
{
    /// <summary>NFTCLUSTER_JOURNEYS_RATE: what a machine bears depends on the machine.</summary>
    private static readonly int _perSecond = int.TryParse(Environment.GetEnvironmentVariable("NFTCLUSTER_JOURNEYS_RATE"), out int rate) ? rate : 1_000;
    private static readonly TimeSpan _time = TimeSpan.FromSeconds(4);

    [Fact]
    public async Task A_masquerade_does_not_part_a_packet()
    {
        using Fleet fleet = Begin("nat");
        JourneyRun run = await JourneyRun.TakeAsync(fleet, _perSecond, _time);

        AssertTrue(run);
        Assert.All(Through(run, "r1", "r2", "r3"), journey =>
        {
            Assert.Equal([true, false, false], journey.Hops.Select(hop => hop.Translated));
            Assert.Equal([64, 63, 62], journey.Hops.Select(hop => hop.In!.Ttl!.Value));
        });
        Assert.Equal(run.Journeys.Count, run.Paths.Sum(path => path.Packets));
    }

    [Fact]
    public async Task A_pool_behind_a_DNAT_gets_every_packet_once_and_each_journey_says_which_server()
    {
        using Fleet fleet = Begin("dnat");
        JourneyRun run = await JourneyRun.TakeAsync(fleet, _perSecond, _time, IPAddress.Parse("10.9.9.9"));

        AssertTrue(run);
        JourneyRecord[] journeys = Through(run, "r1", "r2", "r3");
        Assert.All(journeys, journey => Assert.Equal([false, true, false], journey.Hops.Select(hop => hop.Translated)));
        Assert.Equal(["eth1", "eth2"], journeys.Select(journey => journey.Hops[2].Out!.Device!).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal), StringComparer.Ordinal);
        Assert.All(journeys, journey => Assert.Equal(journey.Hops[2].Out!.Device == "eth1" ? "10.4.0.2" : "10.5.0.2", journey.Hops[2].Out!.DstIp));
    }

    [Fact]
    public async Task Of_two_ways_of_equal_cost_both_are_shown_and_each_packet_took_one()
    {
        using Fleet fleet = Begin("ecmp");
        JourneyRun run = await JourneyRun.TakeAsync(fleet, _perSecond, _time);

        AssertTrue(run);
        Assert.True(Through(run, "r1", "r2", "r4").Length > 0 && Through(run, "r1", "r3", "r4").Length > 0, run.Said());
        Assert.Equal(run.Sent, run.Paths.Where(path => path.Path.Count == 3).Sum(path => path.Packets));
    }

    [Fact]
    public async Task IPv6_is_joined_without_an_identification()
    {
        using Fleet fleet = Begin("six");
        JourneyRun run = await JourneyRun.TakeAsync(fleet, _perSecond, _time, IPAddress.Parse("fd04::2"));

        AssertTrue(run);
        Assert.Equal(run.Sent, Through(run, "r1", "r2", "r3").Length);
    }

    [Fact]
    public async Task A_blackhole_is_where_the_journeys_end()
    {
        using Fleet fleet = Begin("blackhole");
        JourneyRun run = await JourneyRun.TakeAsync(fleet, _perSecond, _time, IPAddress.Parse("10.4.0.200"));

        AssertTrue(run);
        Assert.All(Through(run, "r1", "r2"), journey => Assert.StartsWith("dropped:", journey.Outcome, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Inside_a_VXLAN_tunnel_a_packet_is_followed_by_the_one_around_it()
    {
        using Fleet fleet = Begin("vxlan");
        JourneyRun run = await JourneyRun.TakeAsync(fleet, _perSecond, _time);

        AssertTrue(run);
        Assert.All(Through(run, "r1", "r2", "r3"), journey => Assert.Equal([null, 4789, 4789], [journey.Hops[0].In!.DstPort == 4789 ? 4789 : null, journey.Hops[1].In!.DstPort, journey.Hops[2].In!.DstPort]));
    }

    [Theory]
    [InlineData("gre")]
    [InlineData("ipip")]
    public async Task Inside_a_tunnel_without_ports_a_packet_is_followed_by_the_one_around_it(string kind)
    {
        NeedsDevice(kind, "local", "127.0.0.2", "remote", "127.0.0.3");
        using Fleet fleet = Begin(kind);
        JourneyRun run = await JourneyRun.TakeAsync(fleet, _perSecond, _time);

        AssertTrue(run);
        Assert.Equal(run.Sent, Through(run, "r1", "r2", "r3").Length);
    }

    [Fact]
    public async Task Through_WireGuard_what_comes_out_is_joined_to_the_encrypted_packet()
    {
        NeedsDevice("wireguard");
        using Fleet fleet = Begin("wireguard");
        JourneyRun run = await JourneyRun.TakeAsync(fleet, _perSecond, _time);

        // The sending end is one trace, or two where it encrypts later than the inner one was closed.
        JourneyRecord[] joined = [.. run.Journeys.Where(journey => journey.Path is [.., "r2", "r3"] && run.IsNumbered(journey.Hops[^1]) && journey.Hops[^1].Join?.Kind == "exact" && journey.Path.Contains("r1", StringComparer.Ordinal))];
        Assert.All(joined, journey => Assert.Single(journey.Hops.Where(run.IsNumbered).Select(run.NumberOf).Distinct()));
        Assert.True(joined.Length >= run.Sent * 0.999, run.Said());
    }

    [Fact]
    public async Task A_router_that_nobody_watches_is_counted_between_the_others()
    {
        using Fleet fleet = Begin("unobserved");
        JourneyRun run = await JourneyRun.TakeAsync(fleet, _perSecond, _time);

        AssertTrue(run);
        Assert.All(Through(run, "r1", "r3"), journey =>
        {
            Assert.Equal(1, journey.Hops[1].Join!.UnseenRouters);
            Assert.Contains("1 unseen router(s) between r1 and r3", journey.IncompleteReasons, StringComparer.Ordinal);
        });
    }

    [Fact]
    public async Task A_node_that_is_killed_leaves_a_hole_that_is_named_and_joined_around()
    {
        using Fleet fleet = Begin("fleet");
        JourneyRun run = await JourneyRun.TakeAsync(fleet, _perSecond, TimeSpan.FromSeconds(12), null, async (running, session) =>
        {
            await Task.Delay(TimeSpan.FromSeconds(3), TestContext.Current.CancellationToken); // so long it runs before
            await running.KillNodeAsync("r2");
            await running.IsOfflineAsync("r2");
            running.StartNode("r2");
            await running.RunsAsync(session.Id, "r2");
        });

        Assert.Empty(run.Mixed());
        JourneyRecord[] around = [.. run.Journeys.Where(journey => journey.Path is ["r1", "r3"] && journey.Hops[1].Join is { Kind: "exact", UnseenRouters: 1 })];
        Assert.NotEmpty(around);
        JourneyRecord[] silent = [.. around.Where(journey => !journey.IncompleteReasons.Any(reason => reason.StartsWith("r2 ", StringComparison.Ordinal)))];
        Assert.Empty(silent.Select(journey => $"{journey.FirstSeen}: {string.Join("; ", journey.IncompleteReasons)}").Take(3));
        Assert.Contains(run.Journeys, journey => journey.Path is ["r1", "r2", "r3"] && journey.Complete);
    }

    [Fact]
    public async Task The_way_back_may_be_another_and_both_are_found_from_each_other()
    {
        using Fleet fleet = Begin("asymmetric");
        await fleet.StartAsync();
        ClusterSessionView session = await fleet.OpenSessionAsync("icmp");
        Assert.Equal(0, Tool.Run("ip", ["netns", "exec", fleet.Lab.NamespaceOf("client"), RunningProgram.Executable, "lab", "traffic", fleet.Lab.Prefix, "--from", "client", "--to", "server", "--kind", "ping", "--count", "5"]).ExitCode);
        JourneyQueries queries = new(Database.Open(fleet.State), fleet.Queries());
        var names = (await fleet.NodesAsync()).ToDictionary(node => node.Id, node => node.Name, StringComparer.Ordinal);
        List<JourneyRecord> journeys = [];
        await fleet.UntilAsync(async () =>
        {
            journeys.Clear();
            await queries.EachAsync(session.Id, names, journeys.Add, TestContext.Current.CancellationToken);
            return journeys.Count(journey => journey.Path.Count == 3) == 10;
        }, "five pings and their answers");

        JourneyRecord[] there = [.. journeys.Where(journey => journey.Path is ["r1", "r2", "r4"])];
        Assert.Equal((5, 5), (there.Length, journeys.Count(journey => journey.Path is ["r4", "r3", "r1"])));
        HashSet<string> answers = [];
        foreach (JourneyRecord ping in there)
        {
            Assert.True(TraceId.TryParse(ping.Id, out TraceId id));
            JourneyRecord found = (await queries.GetAsync(id, names, TestContext.Current.CancellationToken))!;
            JourneyRecord answer = journeys.Single(journey => journey.Id == found.NextReverse);
            Assert.Equal(["r4", "r3", "r1"], answer.Path);
            Assert.True(TraceId.TryParse(answer.Id, out TraceId answerId));
            Assert.Equal(ping.Id, (await queries.GetAsync(answerId, names, TestContext.Current.CancellationToken))!.PreviousReverse);
            answers.Add(answer.Id);
        }
        Assert.Equal(5, answers.Count);
    }

    [Fact]
    public async Task Packets_that_are_all_alike_are_never_called_one_packet()
    {
        const int Alike = 200;
        using Fleet fleet = Begin("fleet");
        await fleet.StartAsync();
        ClusterSessionView session = await fleet.OpenSessionAsync("udp dst port 7777");
        using (Socket socket = NetworkNamespace.Run(fleet.Lab.NamespaceOf("client"), () => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp)))
        {
            socket.DontFragment = true; // the IP id is 0 then
            for (int i = 0; i < Alike; i++)
            {
                socket.SendTo(new byte[16], new IPEndPoint(fleet.Lab.AddressOf("server", AddressFamily.InterNetwork), 7777));
            }
        }
        TraceQueries traces = fleet.Queries();
        await fleet.UntilAsync(async () => await traces.CountAsync(session.Id, TestContext.Current.CancellationToken) == Alike * 3, "all traces are stored");
        List<JourneyRecord> journeys = [];
        await new JourneyQueries(Database.Open(fleet.State), traces).EachAsync(session.Id, (await fleet.NodesAsync()).ToDictionary(node => node.Id, node => node.Name, StringComparer.Ordinal), journeys.Add, TestContext.Current.CancellationToken);

        Assert.All(journeys, journey => Assert.Single(journey.Hops));
        Assert.All(journeys, journey => Assert.Contains(journey.IncompleteReasons, reason => reason.StartsWith("ambiguous: ", StringComparison.Ordinal)));
        Assert.Equal(Alike * 3, journeys.Count);
    }

    /// <summary>Not every kernel has every kind.</summary>
    private static void NeedsDevice(string kind, params string[] options)
    {
        Root.Required();
        Assert.SkipUnless(Tool.Run("ip", ["link", "add", "probing", "type", kind, .. options]).ExitCode == 0, $"needs a kernel with {kind}: tests/kernels/run 6.12 tunnels");
        Tool.Run("ip", ["link", "del", "probing"]);
    }

    private static Fleet Begin(string topology)
    {
        Root.Required();
        return new Fleet(topology);
    }

    private static void AssertTrue(JourneyRun run)
    {
        Assert.Empty(run.Mixed());
        Assert.True(run.Whole() >= run.Numbers.Count() * 0.999, run.Said());
        Assert.Equal(run.Sent, run.Numbers.Count());
    }

    private static JourneyRecord[] Through(JourneyRun run, params string[] path) => [.. run.Journeys.Where(journey => journey.Path.SequenceEqual(path, StringComparer.Ordinal))];
}
