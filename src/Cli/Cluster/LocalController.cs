using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Serialization.Metadata;
using NftCluster.Controller.Hosting;
using NftCluster.Controller.Sessions;

namespace NftCluster.Cli.Cluster;

/// <summary>Asks the controller on this host, through the socket in its state directory.</summary>
internal static class LocalController
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    /// <summary>Throws <see cref="UsageException"/> with one line.</summary>
    public static Task<T> PostAsync<TBody, T>(string stateDirectory, string path, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<T> type, CancellationToken cancellation) =>
        SendAsync(stateDirectory, () => new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body, bodyType) }, type, cancellation);

    public static Task<T> GetAsync<T>(string stateDirectory, string path, JsonTypeInfo<T> type, CancellationToken cancellation) =>
        SendAsync(stateDirectory, () => new HttpRequestMessage(HttpMethod.Get, path), type, cancellation);

    private static async Task<T> SendAsync<T>(string stateDirectory, Func<HttpRequestMessage> request, JsonTypeInfo<T> type, CancellationToken cancellation)
    {
        string socket = Path.Combine(stateDirectory, LocalPort.SocketName);
        using SocketsHttpHandler handler = new()
        {
            ConnectCallback = async (_, token) =>
            {
                Socket connection = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), token);
                    return new NetworkStream(connection, ownsSocket: true);
                }
                catch
                {
                    connection.Dispose();
                    throw;
                }
            },
        };
        using HttpClient client = new(handler) { BaseAddress = new Uri("http://controller"), Timeout = _patience };
        try
        {
            using HttpRequestMessage message = request();
            using HttpResponseMessage response = await client.SendAsync(message, cancellation);
            if (!response.IsSuccessStatusCode)
            {
                CommandError? refused = await response.Content.ReadFromJsonAsync(LocalJson.Default.CommandError, cancellation);
                throw new UsageException(refused?.Text ?? $"the controller answers {(int)response.StatusCode}");
            }
            return (await response.Content.ReadFromJsonAsync(type, cancellation))!;
        }
        catch (Exception failure) when (failure is HttpRequestException || (failure is TaskCanceledException && !cancellation.IsCancellationRequested))
        {
            throw new UsageException($"no controller answers at {socket}: {(failure.InnerException ?? failure).Message.ReplaceLineEndings(" ")}; is it running, and is --state-dir right?");
        }
    }
}
