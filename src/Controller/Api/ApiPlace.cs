using Microsoft.AspNetCore.Http;
using NftCluster.Actors;
using NftCluster.Controller.Sessions;
using NftCluster.Controller.Storage;

namespace NftCluster.Controller.Api;

/// <summary>Whom the endpoints ask.</summary>
internal sealed record ApiPlace(ActorRef<ClusterMessage> Cluster, ActorRef<StorageMessage> Storage, TraceQueries Queries, Stitching.JourneyQueries Journeys, Database Database, Export.ClusterExport Exports, ActorRef<Live.LiveMessage> Live, ActorRef<Live.FeedMessage> Feed, Hosting.ControllerMetrics Metrics)
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(15);

    public Task<T> AskAsync<T>(Func<ActorRef<T>, ClusterMessage> order, CancellationToken cancellation) => Cluster.AskAsync(order, _patience, cancellation);

    public Task<T> AskStorageAsync<T>(Func<ActorRef<T>, StorageMessage> order, CancellationToken cancellation) => Storage.AskAsync(order, _patience, cancellation);

    /// <summary>The value, or the refusal as a problem.</summary>
    public async Task<IResult> AnswerAsync<T>(Func<ActorRef<Result<T>>, ClusterMessage> order, CancellationToken cancellation)
        where T : class
    {
        Result<T> result = await AskAsync(order, cancellation);
        return result.Value is { } value ? Results.Ok(value) : ApiProblem.Of(result.Error!);
    }
}
