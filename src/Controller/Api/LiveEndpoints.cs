using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using NftCluster.Controller.Auth;
using NftCluster.Controller.Cluster;
using NftCluster.Controller.Hosting;
using NftCluster.Controller.Sessions;

namespace NftCluster.Controller.Api;

/// <summary><c>/api/ws</c>, which asks for its token itself, and <c>/metrics</c>, which asks for one unless the asker is on this host.</summary>
internal static class LiveEndpoints
{
    public static void Map(IEndpointRouteBuilder web)
    {
        web.MapGet("/api/ws", (ApiPlace place, TimeProvider time, HttpContext context) =>
            context.WebSockets.IsWebSocketRequest ? new Live.LiveSocket(place.Live, place.Feed, time).RunAsync(context) : ApiProblem.Of(StatusCodes.Status400BadRequest, "this address speaks WebSocket").ExecuteAsync(context)).AllowAnonymous().ExcludeFromDescription();
        web.MapGet("/metrics", MetricsAsync).AllowAnonymous().ExcludeFromDescription();
    }

    private static async Task<IResult> MetricsAsync(ApiPlace place, HttpContext context)
    {
        bool isLocal = context.Connection.RemoteIpAddress is { } address && IPAddress.IsLoopback(address);
        if (!isLocal && !Roles.AtLeast(Roles.Viewer).Any(context.User.IsInRole))
        {
            return ApiProblem.Unauthorized("a token of at least a viewer is needed from another host");
        }
        IReadOnlyList<NodeView> nodes = await place.AskAsync<IReadOnlyList<NodeView>>(reply => new ListNodes(reply), context.RequestAborted);
        IReadOnlyList<ClusterSessionView> sessions = await place.AskAsync<IReadOnlyList<ClusterSessionView>>(reply => new ListSessions(reply), context.RequestAborted);
        return Results.Text(place.Metrics.Text(
        [
            .. new[] { NodeView.Connected, NodeView.Stale, NodeView.Offline, NodeView.Revoked }.Select(state => new GaugeValue("nftcluster_nodes", "Nodes by state.", $"{{state=\"{state}\"}}", nodes.Count(node => node.State == state))),
            .. sessions.GroupBy(session => session.State, StringComparer.Ordinal).OrderBy(state => state.Key, StringComparer.Ordinal).Select(state => new GaugeValue("nftcluster_sessions", "Sessions by state.", $"{{state=\"{state.Key}\"}}", state.Count())),
            .. nodes.Where(node => node.Spool is not null).Select(node => new GaugeValue("nftcluster_node_spool_bytes", "What a node has that is not stored here yet.", $"{{node=\"{node.Id}\"}}", node.Spool!.Bytes)),
            new GaugeValue("nftcluster_database_bytes", "The database's file.", "", new FileInfo(place.Database.Path).Length),
            new GaugeValue("nftcluster_live_refused", "Payloads that were not shown to viewers because the hub was behind.", "", place.Live.Dropped),
        ]), "text/plain; version=0.0.4");
    }
}
