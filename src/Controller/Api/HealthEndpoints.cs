using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Data.Sqlite;
using NftCluster.Controller.Cluster;
using NftCluster.Controller.Sessions;

namespace NftCluster.Controller.Api;

/// <summary>Whether the process lives; whether it can answer and its database can be read.</summary>
internal static class HealthEndpoints
{
    public static void Map(IEndpointRouteBuilder web)
    {
        web.MapGet("/health/live", () => Results.Text("live\n")).AllowAnonymous();
        web.MapGet("/health/ready", ReadyAsync).AllowAnonymous();
    }

    private static async Task<IResult> ReadyAsync(ApiPlace place, HttpContext context)
    {
        try
        {
            using SqliteConnection connection = place.Database.Connect();
            await place.AskAsync<IReadOnlyList<NodeView>>(reply => new ListNodes(reply), context.RequestAborted);
            return Results.Text("ready\n");
        }
        catch (Exception failure) when (failure is SqliteException or TimeoutException)
        {
            return Results.Text($"not ready: {failure.Message.ReplaceLineEndings(" ")}\n", statusCode: StatusCodes.Status503ServiceUnavailable);
        }
    }
}
