using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using NftCluster.Controller.Auth;
using NftCluster.Controller.Cluster;
using NftCluster.Controller.Storage;

namespace NftCluster.Controller.Api;

/// <summary>Whoever changes something, or tries to, stands in the audit log with the answer that was given; who only reads does not.</summary>
internal sealed class Auditing(AuditLog log, ILogger logger)
{
    private const int MostText = 128;
    private const string WhoItem = "audit-who";

    /// <summary>For a login: nobody is logged in yet.</summary>
    public static void Name(HttpContext context, string who) => context.Items[WhoItem] = who;

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        await next(context);
        if (HttpMethods.IsGet(context.Request.Method) || context.GetEndpoint() is not RouteEndpoint endpoint)
        {
            return;
        }
        string who = context.Items[WhoItem] as string ?? Caller.NameOf(context.User);
        try
        {
            log.Append(Short(who), $"{context.Request.Method} {endpoint.RoutePattern.RawText}", Short(string.Join('/', context.Request.RouteValues.Values)), context.Response.StatusCode, $"{context.Connection.RemoteIpAddress}");
        }
        catch (StorageException full)
        {
            ClusterLog.NotAudited(logger, Short(who), context.Request.Method, endpoint.RoutePattern.RawText ?? "", full.Message);
        }
    }

    private static string Short(string text) => new([.. text.Take(MostText).Where(c => !char.IsControl(c))]);
}
