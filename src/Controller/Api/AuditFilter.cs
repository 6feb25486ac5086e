using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using NftCluster.Controller.Auth;

namespace NftCluster.Controller.Api;

/// <summary>Whoever changes something, or tries to, stands in the audit log; who only reads does not.</summary>
internal sealed class AuditFilter(AuditLog log) : IEndpointFilter
{
    private const int MostText = 128;

    /// <summary>Set by a login: nobody is logged in yet.</summary>
    public const string WhoItem = "audit-who";

    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        HttpContext http = context.HttpContext;
        object? answer = await next(context);
        if (!HttpMethods.IsGet(http.Request.Method))
        {
            int status = (answer as IStatusCodeHttpResult)?.StatusCode ?? http.Response.StatusCode;
            string route = (http.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "";
            string who = http.Items[WhoItem] as string ?? Caller.NameOf(http.User);
            log.Append(Short(who), $"{http.Request.Method} {route}", Short(string.Join('/', http.Request.RouteValues.Values)), status, $"{http.Connection.RemoteIpAddress}");
        }
        return answer;
    }

    private static string Short(string text) => new([.. text.Take(MostText).Where(c => !char.IsControl(c))]);
}
