using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using NftCluster.Controller.Auth;
using NftCluster.Controller.Cluster;
using NftCluster.Controller.Storage;

namespace NftCluster.Controller.Api;

/// <summary>The web port: what every request passes, and all endpoints.</summary>
internal static class ApiHost
{
    /// <summary>Of a body; a ruleset may be large.</summary>
    public const long MostBodyBytes = 1 << 20;

    public const string LoginLimit = "login";

    private const int LoginsPerMinute = 30;

    public static void AddApi(this IServiceCollection services, ApiPlace place, AuthOptions auth, Database database, TimeProvider time)
    {
        services.AddSingleton(place);
        services.AddAuth(database, auth, time);
        services.ConfigureHttpJsonOptions(json => ApiJson.Configure(json.SerializerOptions));
        services.Configure<RouteHandlerOptions>(handlers => handlers.ThrowOnBadRequest = true);
        services.AddProblemDetails();
        services.AddRateLimiter(limits =>
        {
            limits.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
            limits.AddPolicy(LoginLimit, context => RateLimitPartition.GetFixedWindowLimiter(
                context.Connection.RemoteIpAddress?.ToString() ?? "", _ => new FixedWindowRateLimiterOptions { PermitLimit = LoginsPerMinute, Window = TimeSpan.FromMinutes(1) }));
        });
        services.AddOpenApi(OpenApiText.Configure);
    }

    public static void UseApi(this WebApplication web, ILogger logger)
    {
        web.Use(SecurityHeadersAsync);
        web.UseStatusCodePages(context => ApiProblem.WriteAsync(context.HttpContext));
        Auditing auditing = new(web.Services.GetRequiredService<AuditLog>(), logger);
        web.Use(auditing.InvokeAsync);
        web.Use((context, next) => RefusedAsync(context, next, logger));
        web.UseRouting();
        web.UseAuthentication();
        web.UseAuthorization();
        web.UseRateLimiter();
        web.UseWebSockets(new WebSocketOptions { KeepAliveInterval = TimeSpan.FromSeconds(30) });
        RouteGroupBuilder api = web.MapGroup("/api").AddEndpointFilter<QueryFilter>();
        AuthEndpoints.Map(api);
        UserEndpoints.Map(api);
        SessionEndpoints.Map(api);
        TraceEndpoints.Map(api);
        JourneyEndpoints.Map(api);
        NodeEndpoints.Map(api);
        AdminEndpoints.Map(api);
        HealthEndpoints.Map(web);
        LiveEndpoints.Map(web);
        web.MapOpenApi("/api/openapi.json").AllowAnonymous();
    }

    private static Task SecurityHeadersAsync(HttpContext context, RequestDelegate next)
    {
        IHeaderDictionary headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'";
        headers["Referrer-Policy"] = "no-referrer";
        headers.CacheControl = "no-store";
        if (context.Request.IsHttps)
        {
            headers.StrictTransportSecurity = "max-age=31536000";
        }
        return next(context);
    }

    private static async Task RefusedAsync(HttpContext context, RequestDelegate next, ILogger logger)
    {
        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody waits for an answer any more.
        }
        catch (Exception failure) when (!context.Response.HasStarted)
        {
            IResult? problem = ApiProblem.Of(failure);
            if (problem is null)
            {
                ClusterLog.RequestFailed(logger, context.Request.Method, context.Request.Path, failure);
            }
            await (problem ?? ApiProblem.Of(StatusCodes.Status500InternalServerError, "an error of the controller's own; its log has more")).ExecuteAsync(context);
        }
    }
}
