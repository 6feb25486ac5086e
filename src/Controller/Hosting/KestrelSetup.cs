using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using NftCluster.Controller.Cluster;

namespace NftCluster.Controller.Hosting;

/// <summary>One application for each door: browsers, nodes and the operator on this host never share endpoints, certificates or limits.</summary>
internal static class KestrelSetup
{
    private const long MostJoinBytes = 64 << 10;
    private const int MostConnections = 4096;
    private static readonly TimeSpan _slowest = TimeSpan.FromSeconds(10);

    public static WebApplicationBuilder Builder(ILoggerProvider? logs)
    {
        // Empty: no file, variable or argument of ASP.NET Core's own opens a port or changes a limit here.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddFilter("NftCluster", LogLevel.Information);
        if (logs is not null)
        {
            builder.Logging.AddProvider(logs);
        }
        return builder;
    }

    /// <summary>TLS 1.2 and 1.3; a certificate is asked for and, where one is shown, must be a node's of ours.</summary>
    public static void ListenForNodes(this WebApplicationBuilder builder, ControllerOptions options, X509Certificate2 server, CertificateAuthority authority) =>
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            Limit(kestrel, MostJoinBytes);
            Listen(kestrel, options.Address, options.NodePort, listen =>
            {
                listen.Protocols = HttpProtocols.Http1; // WebSockets, and nothing to multiplex
                listen.UseHttps(https =>
                {
                    https.ServerCertificate = server;
                    https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
                    https.ClientCertificateValidation = (certificate, _, _) => authority.IsNode(certificate);
                    https.HandshakeTimeout = _slowest;
                    https.OnAuthenticate = (_, tls) => tls.EncryptionPolicy = EncryptionPolicy.RequireEncryption;
                });
            });
        });

    public static void ListenForWeb(this WebApplicationBuilder builder, ControllerOptions options, X509Certificate2? certificate) =>
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            Limit(kestrel, Api.ApiHost.MostBodyBytes);
            if (certificate is null)
            {
                kestrel.ListenOnLoopback(options.WebPort);
                return;
            }
            Listen(kestrel, options.Address, options.WebPort, listen => listen.UseHttps(https =>
            {
                https.ServerCertificate = certificate;
                https.HandshakeTimeout = _slowest;
            }));
        });

    public static void ListenLocally(this WebApplicationBuilder builder, string socket) =>
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            Limit(kestrel, MostJoinBytes);
            kestrel.ListenUnixSocket(socket);
        });

    private static void Limit(KestrelServerOptions kestrel, long mostBody)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = mostBody;
        kestrel.Limits.RequestHeadersTimeout = _slowest;
        kestrel.Limits.MaxConcurrentConnections = MostConnections;
        kestrel.Limits.MaxConcurrentUpgradedConnections = MostConnections;
    }

    /// <summary>Plain HTTP: on loopback whatever the settings say. Port 0 has no "localhost" of both families.</summary>
    private static void ListenOnLoopback(this KestrelServerOptions kestrel, int port) => kestrel.Listen(System.Net.IPAddress.Loopback, port);

    private static void Listen(KestrelServerOptions kestrel, string address, int port, Action<ListenOptions> how)
    {
        if (address.Length == 0)
        {
            kestrel.ListenAnyIP(port, how);
        }
        else
        {
            kestrel.Listen(System.Net.IPAddress.Parse(address), port, how);
        }
    }
}
