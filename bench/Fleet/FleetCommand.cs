using System.Diagnostics;
using System.Net.WebSockets;
using System.Text.Json;
using NftCluster.Actors;
using NftCluster.Bench.Storage;
using NftCluster.Messages.Link;
using NftCluster.Node.Agent;
using NftCluster.Node.Spool;
using NftCluster.Node.Uplink;

namespace NftCluster.Bench.Fleet;

/// <summary>
/// <c>fleet ingest|viewers|reconnect</c>: the built controller as a process of its own, with simulated nodes over real mutual TLS on loopback. Sender and
/// controller share this machine's processors.
/// </summary>
internal static class FleetCommand
{
    private const int TracesPerFrame = 500;
    private const int Nodes = 4;
    private const int DistinctFrames = 40; // made beforehand: making them is the nodes' work

    public static async Task<int> RunAsync(string program, string what, int count)
    {
        string directory = Directory.CreateTempSubdirectory("nftcluster-bench-").FullName;
        using FleetController controller = new(program);
        try
        {
            await controller.StartAsync();
            switch (what)
            {
                case "ingest":
                    await IngestAsync(controller, directory, count, 0, wantsLag: true);
                    break;
                case "viewers":
                    _ = await IngestAsync(controller, directory, 200_000, 0, wantsLag: false); // warm
                    double without = await IngestAsync(controller, directory, 500_000, 0, wantsLag: false);
                    double with = await IngestAsync(controller, directory, 500_000, count, wantsLag: false);
                    Console.WriteLine($"processor a million traces: {without:N1} s without viewers, {with:N1} s with {count} viewers of one session: {with / without:N2}x");
                    break;
                case "reconnect":
                    await ReconnectAsync(controller, directory, count);
                    break;
            }
            return 0;
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>Answers the controller's processor seconds a million traces.</summary>
    private static async Task<double> IngestAsync(FleetController controller, string directory, int traces, int viewers, bool wantsLag)
    {
        string session = (await controller.PostAsync("/api/sessions", new { name = $"bench-{viewers}" })).GetProperty("id").GetString()!;
        StorageFrames source = new(TracesPerFrame, session);
        Data[] frames = [.. Enumerable.Range(1, DistinctFrames).Select(n => source.Frame(1, (ulong)n))];
        string run = $"{viewers}-{session}";
        string token = (await controller.PostAsync("/api/join-tokens", new { uses = Nodes })).GetProperty("token").GetString()!;
        SimulatedNode[] nodes = await Task.WhenAll(Enumerable.Range(0, Nodes).Select(async i =>
            await SimulatedNode.ConnectAsync($"n{i}-{run}", await SimulatedNode.JoinAsync($"n{i}-{run}", Path.Combine(directory, $"{run}-{i}"), token))));
        using CancellationTokenSource over = new();
        Task<long>[] watching = [.. Enumerable.Range(0, viewers).Select(_ => WatchAsync(controller, session, over.Token))];
        await Task.Delay(TimeSpan.FromSeconds(viewers > 0 ? 5 : 1)); // everybody is there
        Task<List<double>> lags = wantsLag ? LagsAsync(controller, session, directory, over.Token) : Task.FromResult(new List<double>());

        Task<long> mostPrivate = MostPrivateAsync(controller, over.Token);
        TimeSpan before = controller.ProcessorTime;
        var watch = Stopwatch.StartNew();
        int perNode = traces / TracesPerFrame / Nodes;
        await Task.WhenAll(nodes.Select(node => Task.Run(async () =>
        {
            for (int i = 0; i < perNode; i++)
            {
                await node.SendAsync(frames[i % frames.Length]);
            }
            await node.CommittedAsync();
        })));
        watch.Stop();
        double stored = (double)perNode * Nodes * TracesPerFrame;
        double processor = (controller.ProcessorTime - before).TotalSeconds / stored * 1e6;
        await over.CancelAsync();
        long[] seen = await Task.WhenAll(watching);
        List<double> found = await lags;
        found.Sort();
        Console.WriteLine($"{stored:N0} ten-event traces of {Nodes} nodes from link to durable commit in {watch.Elapsed.TotalSeconds:N1} s: {stored / watch.Elapsed.TotalSeconds:N0} traces/s; the controller: {processor:N1} µs of processor a trace, at most {await mostPrivate >> 20} MiB of its own, {controller.PeakResidentBytes >> 20} MiB with mapped pages of program and database");
        if (found.Count > 0)
        {
            Console.WriteLine($"from sending a trace to finding it by GET /traces under that load: median {found[found.Count / 2]:N2} s, worst of {found.Count} {found[^1]:N2} s");
        }
        if (viewers > 0)
        {
            Console.WriteLine($"{viewers} viewers got {seen.Sum():N0} messages, {seen.Min():N0} to {seen.Max():N0} each");
        }
        foreach (SimulatedNode node in nodes)
        {
            await node.DisposeAsync();
        }
        return processor;
    }

    /// <summary>A node of its own sends one trace to a port that nobody else uses, and asks until it is found.</summary>
    private static async Task<List<double>> LagsAsync(FleetController controller, string session, string directory, CancellationToken over)
    {
        List<double> lags = [];
        string token = (await controller.PostAsync("/api/join-tokens", new { uses = 1 })).GetProperty("token").GetString()!;
        await using SimulatedNode node = await SimulatedNode.ConnectAsync("probe", await SimulatedNode.JoinAsync("probe", Path.Combine(directory, "probe"), token));
        for (int port = 40_000; !over.IsCancellationRequested; port++)
        {
            await node.SendAsync(StorageFrames.Single(session, port));
            var watch = Stopwatch.StartNew();
            while ((await controller.GetAsync($"/api/sessions/{session}/traces?dst_port={port}&limit=1")).GetProperty("traces").GetArrayLength() == 0)
            {
                await Task.Delay(10, CancellationToken.None);
            }
            lags.Add(watch.Elapsed.TotalSeconds);
        }
        return lags;
    }

    private static async Task<long> MostPrivateAsync(FleetController controller, CancellationToken over)
    {
        long most = 0;
        while (!over.IsCancellationRequested)
        {
            most = Math.Max(most, controller.PrivateBytes);
            await Task.Delay(100, CancellationToken.None);
        }
        return most;
    }

    /// <summary>How many messages came until told to stop.</summary>
    private static async Task<long> WatchAsync(FleetController controller, string session, CancellationToken over)
    {
        using ClientWebSocket socket = new();
        socket.Options.AddSubProtocol("nftcluster");
        socket.Options.AddSubProtocol($"bearer.{controller.AccessToken}");
        await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{FleetController.WebPort}/api/ws"), CancellationToken.None);
        await socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(new { watch = session }), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
        byte[] buffer = new byte[16 << 10];
        long messages = 0;
        try
        {
            while (true)
            {
                WebSocketReceiveResult part = await socket.ReceiveAsync(buffer, over);
                messages += part.EndOfMessage ? 1 : 0;
            }
        }
        catch (Exception end) when (end is OperationCanceledException or WebSocketException)
        {
            return messages;
        }
    }

    /// <summary>The node's own uplink and spool, many times in this process: kill -9 of the controller, start it again, and see when all are back.</summary>
    private static async Task ReconnectAsync(FleetController controller, string directory, int nodes)
    {
        string token = (await controller.PostAsync("/api/join-tokens", new { uses = nodes })).GetProperty("token").GetString()!;
        ActorSystem system = new("bench", TimeProvider.System, new ActorSystemOptions());
        int connections = 0;
        for (int i = 0; i < nodes; i++)
        {
            string name = $"n{i:D3}";
            NodeIdentity identity = await SimulatedNode.JoinAsync(name, Path.Combine(directory, name), token);
            SpoolStore store = new(new SpoolOptions { Directory = Path.Combine(directory, name, "spool") }, TimeProvider.System);
            ulong epoch = store.Epoch;
            ActorRef<SpoolMessage> spool = system.Spawn<SpoolMessage>($"spool-{name}", () => new SpoolActor(store, _ => { }));
            ActorRef<AgentMessage> agent = system.Spawn<AgentMessage>($"agent-{name}", () => new IdleAgent());
            UplinkOptions options = new() { Controller = SimulatedNode.Address, Name = name, Host = HostNow.Read(null) };
            system.Spawn<UplinkMessage>($"uplink-{name}", () => new UplinkActor(options, identity, spool, agent, epoch, line =>
            {
                if (line.StartsWith("connected", StringComparison.Ordinal))
                {
                    Interlocked.Increment(ref connections);
                }
            }));
        }
        await AllConnectedAsync(controller, nodes);
        Console.WriteLine($"{nodes} nodes connected; the controller is resident with {controller.ResidentBytes >> 20} MiB");
        for (int round = 1; round <= 3; round++)
        {
            controller.Kill();
            await Task.Delay(TimeSpan.FromSeconds(round)); // each round another place in the nodes' waits
            int before = connections;
            var watch = Stopwatch.StartNew();
            await controller.StartAsync();
            double up = watch.Elapsed.TotalSeconds;
            await AllConnectedAsync(controller, nodes);
            Console.WriteLine($"killed, away for {round} s: it answered {up:N1} s after its start, all {nodes} nodes were back {watch.Elapsed.TotalSeconds:N1} s after its start, {watch.Elapsed.TotalSeconds - up:N1} s after it answered; {connections - before} connections were made; its processor time {controller.ProcessorTime.TotalSeconds:N1} s");
        }
        _ = await system.StopAsync(TimeSpan.FromSeconds(30), CancellationToken.None);
    }

    private static async Task AllConnectedAsync(FleetController controller, int nodes)
    {
        var watch = Stopwatch.StartNew();
        while ((await controller.GetAsync("/api/nodes")).GetProperty("nodes").EnumerateArray().Count(node => node.GetProperty("state").GetString() == "connected") < nodes)
        {
            if (watch.Elapsed > TimeSpan.FromMinutes(2))
            {
                throw new InvalidOperationException("not all nodes came back within two minutes");
            }
            await Task.Delay(50);
        }
    }

    /// <summary>Takes what the controller orders and does nothing.</summary>
    private sealed class IdleAgent : Actor<AgentMessage>
    {
        protected override ValueTask ReceiveAsync(AgentMessage message) => default;
    }
}
