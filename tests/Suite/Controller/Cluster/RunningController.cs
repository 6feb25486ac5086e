using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using NftCluster.Actors;
using NftCluster.Controller.Cluster;
using NftCluster.Controller.Hosting;
using NftCluster.Controller.Sessions;
using NftCluster.Messages.Link;
using NftCluster.TestKit;

namespace NftCluster.Tests.Controller.Cluster;

/// <summary>A whole controller in this process: Kestrel on free loopback ports, SQLite in a directory of its own.</summary>
internal sealed class RunningController : IAsyncDisposable
{
    private static readonly TimeSpan _patience = Patience.Default;

    private ControllerHost _host;
    private readonly ControllerOptions _options;
    private readonly TimeProvider _time;

    private RunningController(ControllerHost host, ControllerOptions options, TimeProvider time) => (_host, _options, _time) = (host, options, time);

    public ControllerHost Host => _host;

    public string StateDirectory => _options.StateDirectory;

    public static async Task<RunningController> StartAsync(LinkOptions? link = null, TimeProvider? time = null, Func<ControllerOptions, ControllerOptions>? change = null)
    {
        ControllerOptions options = new()
        {
            StateDirectory = Directory.CreateTempSubdirectory("nftcluster-controller-").FullName,
            Address = "127.0.0.1",
            WebPort = 0,
            NodePort = 0,
            Link = link ?? new LinkOptions(),
        };
        options = change?.Invoke(options) ?? options;
        time ??= TimeProvider.System;
        return new RunningController(await ControllerHost.StartAsync(options, new SessionCheck(), time, new NftCluster.Cli.Cluster.LineLog(Console.Error), TestContext.Current.CancellationToken), options, time);
    }

    /// <summary>A new process on the same directory; as after a kill, nothing but what is on disk is known.</summary>
    public async Task RestartAsync()
    {
        await _host.DisposeAsync();
        _host = await ControllerHost.StartAsync(_options, new SessionCheck(), _time, null, TestContext.Current.CancellationToken);
    }

    public async Task<JoinToken> TokenAsync(TimeSpan? ttl = null, int uses = 1)
    {
        JoinTokenView made = (await AskAsync<JoinTokenView>(reply => new CreateJoinToken(ttl ?? TimeSpan.FromHours(1), uses, "test", reply))).Value!;
        Assert.True(JoinToken.TryParse(made.Token, out JoinToken? token));
        return token;
    }

    public Task<Result<T>> AskAsync<T>(Func<ActorRef<Result<T>>, ClusterMessage> order)
        where T : class => _host.Cluster.AskAsync(order, _patience, TestContext.Current.CancellationToken);

    public async Task<NodeView> NodeAsync(string id) => (await AskAsync<NodeView>(reply => new GetNode(id, reply))).Value!;

    public async Task<ClusterSessionView> SessionAsync(string id) => (await AskAsync<ClusterSessionView>(reply => new GetSession(id, reply))).Value!;

    public async Task<ClusterSessionView> CreateAsync(SessionRequest? request = null)
    {
        Result<ClusterSessionView> made = await AskAsync<ClusterSessionView>(reply => new CreateSession(request ?? new SessionRequest { Name = "test" }, "alice", reply));
        Assert.Null(made.Error);
        return made.Value!;
    }

    /// <summary>Asks until it is so: what crosses a socket comes in its own time.</summary>
    public static async Task<T> UntilAsync<T>(Func<Task<T>> ask, Func<T, bool> holds)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(10));
        T last = await ask();
        while (!holds(last))
        {
            try
            {
                await timer.WaitForNextTickAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"not within 60 s; last seen: {last}");
            }
            last = await ask();
        }
        return last;
    }

    public HttpClient Client(X509Certificate2? certificate = null)
    {
        SslClientAuthenticationOptions tls = new() { RemoteCertificateValidationCallback = (_, _, _, _) => true };
        if (certificate is not null)
        {
            tls.ClientCertificates = [certificate];
        }
        return new HttpClient(new SocketsHttpHandler { SslOptions = tls }) { BaseAddress = new Uri($"https://127.0.0.1:{_host.NodePort}") };
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        Directory.Delete(_options.StateDirectory, recursive: true);
    }
}
