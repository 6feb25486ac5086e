using System.Net;
using System.Reflection;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using NftCluster.Actors;
using NftCluster.Controller.Api;
using NftCluster.Controller.Auth;
using NftCluster.Controller.Cluster;
using NftCluster.Controller.Export;
using NftCluster.Controller.Live;
using NftCluster.Controller.Sessions;
using NftCluster.Controller.Storage;

namespace NftCluster.Controller.Hosting;

/// <summary>The controller process: state → storage → cluster → the three doors; and at the end the other way round.</summary>
internal sealed class ControllerHost : IAsyncDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan _collectorPatience = TimeSpan.FromSeconds(5);

    private readonly ActorSystem _system;
    private readonly List<WebApplication> _doors = [];
    private readonly List<IDisposable> _held = [];

    private ControllerHost(ActorSystem system) => _system = system;

    public static string Version { get; } = typeof(ControllerHost).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    public required ActorRef<ClusterMessage> Cluster { get; init; }

    public required TraceQueries Queries { get; init; }

    public required ControllerMetrics Metrics { get; init; }

    /// <summary>Of the admin that this start has made: shown once.</summary>
    public string? FirstPassword { get; private init; }

    /// <summary>SHA-256 of the web certificate, hex: what a user compares, or pins; null with plain HTTP.</summary>
    public string? WebFingerprint { get; private set; }

    /// <summary>Everything that the web port answers.</summary>
    public IReadOnlyList<Microsoft.AspNetCore.Http.Endpoint> WebEndpoints { get; private set; } = [];

    public int WebPort { get; private set; }

    public int NodePort { get; private set; }

    /// <summary>Throws <see cref="ClusterException"/> or <see cref="StorageException"/>: one line.</summary>
    public static async Task<ControllerHost> StartAsync(ControllerOptions options, SessionCheck check, TimeProvider time, ILoggerProvider? logs, CancellationToken cancellation)
    {
        StateDirectory.Prepare(options.StateDirectory);
        FileStream mine = StateDirectory.Claim(options.StateDirectory);
        ControllerHost? host = null;
        try
        {
            // 1. The database, and who vouches for us.
            var database = Database.Open(options.StateDirectory);
            CertificateStore certificates = new(options.StateDirectory, time);
            CertificateAuthority authority = certificates.OpenAuthority(options.NodeCertificateLifetime);
            ILogger logger = logs?.CreateLogger("NftCluster.Controller") ?? Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;

            // 2. The actors: storage first, so that nothing comes before it can be kept.
            ActorSystem system = new("controller", time, new ActorSystemOptions
            {
                OnFailure = failure => ClusterLog.ActorFailed(logger, failure.Path, failure.Decision.ToString(), failure.Error.Message),
                Supervision = new SupervisorStrategy { MaxRestarts = 5 },
            });
            ActorRef<StorageMessage> storage = system.Spawn("storage", () => new StorageActor(database, new StorageOptions(options.StateDirectory)), Mailbox.Wait(8192));
            ActorRef<LiveMessage> live = system.Spawn<LiveMessage>("live", () => new LiveHubActor(), Mailbox.DropNewest(LiveHubActor.Mailbox));
            ControllerMetrics metrics = new();
            Stitching.SessionScopes scopes = new(check.Passes);
            ClusterPlace place = new(new Journal(database), authority, check, Listeners(live, storage, metrics, scopes, time), options.Link, Version, logger);
            ActorRef<ClusterMessage> cluster = system.Spawn("cluster", () => new ClusterActor(place), Mailbox.Wait(8192));
            system.Spawn("retention", () => new RetentionActor(storage, options.Retention));
            TraceQueries queries = new(database);
            Stitching.JourneyQueries journeys = new(database, queries, scopes);
            ClusterExport exports = new(queries, journeys, options.StateDirectory, Version, time);
            ActorRef<FeedMessage> feed = system.Spawn<FeedMessage>("journey-feed", () => new JourneyFeedActor(cluster, queries, journeys, metrics), Mailbox.Wait(1_024));
            system.Spawn("disk-limit", () => new DiskLimitActor(cluster, queries));
            if (options.Rotation.Every > TimeSpan.Zero)
            {
                system.Spawn("rotation", () => new RotationActor(cluster, exports, options.Rotation, logger));
            }
            Telemetry.JourneySpans? spans = null;
            if (options.OtlpEndpoint is { } endpoint)
            {
                spans = new Telemetry.JourneySpans(endpoint, _collectorPatience, Version);
                system.Spawn("telemetry", () => new Telemetry.TelemetryActor(cluster, journeys, queries, spans, metrics, logger));
            }
            host = new ControllerHost(system) { Cluster = cluster, Queries = queries, Metrics = metrics, FirstPassword = FirstAdmin.Make(new Accounts(database, time), options.Auth.AdminPasswordFile) };
            host._held.AddRange(new IDisposable?[] { mine, authority, metrics, spans }.OfType<IDisposable>());

            // 3. The doors, once nodes and sessions are back from the journal.
            await cluster.AskAsync<IReadOnlyList<NodeView>>(reply => new ListNodes(reply), _patience, cancellation);
            ApiPlace api = new(cluster, storage, queries, journeys, database, exports, live, feed, metrics);
            await host.OpenAsync(options, certificates, authority, api, time, logs, logger, cancellation);
            return host;
        }
        catch
        {
            if (host is not null)
            {
                await host.DisposeAsync();
            }
            await mine.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (WebApplication door in _doors)
        {
            using CancellationTokenSource patience = new(TimeSpan.FromSeconds(5));
            await door.StopAsync(patience.Token);
            await door.DisposeAsync();
        }
        await _system.StopAsync(_patience);
        _held.ForEach(held => held.Dispose());
    }

    /// <summary>What happens is shown and counted; who shows it may be behind, and says so.</summary>
    private static ClusterListeners Listeners(ActorRef<LiveMessage> live, ActorRef<StorageMessage> storage, ControllerMetrics metrics, Stitching.SessionScopes scopes, TimeProvider time) => new()
    {
        Session = view =>
        {
            scopes.Set(view);
            live.Tell(new SessionTold(view));
        },
        Node = view =>
        {
            live.Tell(new NodeTold(view));
            if (view is { ClockOffsetNs: { } offset, ClockBoundNs: { } bound })
            {
                storage.Tell(new ClockSeen(new NodeClock(view.Id, offset, bound, Messages.TraceTime.UnixNs(time.GetUtcNow()))));
            }
        },
        Stored = (id, name, payload) =>
        {
            metrics.Frames.Add(1);
            metrics.Traces.Add(payload.Traces?.Trace.Count ?? 0);
            metrics.Losses.Add(payload.Losses?.Loss.Count ?? 0);
            live.Tell(new PayloadTold(id, name, payload));
        },
    };

    private async Task OpenAsync(ControllerOptions options, CertificateStore certificates, CertificateAuthority authority, ApiPlace api, TimeProvider time, ILoggerProvider? logs, ILogger logger, CancellationToken cancellation)
    {
        WebApplicationBuilder nodes = KestrelSetup.Builder(logs);
        X509Certificate2 server = authority.IssueServer();
        _held.Add(server);
        nodes.ListenForNodes(options, server, authority);
        WebApplication nodeDoor = nodes.Build();
        nodeDoor.UseWebSockets(new WebSocketOptions { KeepAliveInterval = TimeSpan.FromSeconds(15) });
        NodePort port = new(authority, Cluster, api.Storage, options.Link, time, logger);
        port.Map(nodeDoor);

        WebApplicationBuilder local = KestrelSetup.Builder(logs);
        string socket = Path.Combine(options.StateDirectory, LocalPort.SocketName);
        File.Delete(socket); // of a controller that was killed: the claim says that no other runs
        local.ListenLocally(socket);
        WebApplication localDoor = local.Build();
        new LocalPort(Cluster).Map(localDoor);

        WebApplicationBuilder web = KestrelSetup.Builder(logs);
        X509Certificate2? webCertificate = options.PlainHttp ? null : certificates.OpenWeb(options.WebCertificate, [.. StateDirectory.HostNames(), .. options.Names]);
        if (webCertificate is not null)
        {
            _held.Add(webCertificate);
        }
        WebFingerprint = webCertificate is null ? null : Convert.ToHexStringLower(webCertificate.GetCertHash(System.Security.Cryptography.HashAlgorithmName.SHA256));
        web.ListenForWeb(options, webCertificate);
        web.Services.AddApi(api, options.Auth, api.Database, time);
        WebApplication webDoor = web.Build();
        webDoor.UseApi(logger);
        webDoor.MapGet("/", () => Results.Text($"NftCluster controller {Version}\nAPI: /api/openapi.json; nodes join on port {NodePort}: make a token with nftcluster token create\n")).AllowAnonymous();

        WebEndpoints = [.. ((IEndpointRouteBuilder)webDoor).DataSources.SelectMany(source => source.Endpoints)];
        _doors.AddRange([webDoor, localDoor, nodeDoor]);
        await StartAsync(localDoor, socket, cancellation);
        File.SetUnixFileMode(socket, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        NodePort = await StartAsync(nodeDoor, $"node port {options.NodePort}", cancellation);
        WebPort = await StartAsync(webDoor, $"web port {options.WebPort}", cancellation);
    }

    private static async Task<int> StartAsync(WebApplication door, string what, CancellationToken cancellation)
    {
        try
        {
            await door.StartAsync(cancellation);
        }
        catch (Exception failure) when (failure is IOException or System.Net.Sockets.SocketException)
        {
            throw new ClusterException($"cannot listen on {what}: {(failure.InnerException ?? failure).Message.ReplaceLineEndings(" ")}", failure);
        }
        string address = door.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return Uri.TryCreate(address.Replace("[::]", "localhost", StringComparison.Ordinal), UriKind.Absolute, out Uri? uri) ? uri.Port : IPEndPoint.MinPort;
    }
}
