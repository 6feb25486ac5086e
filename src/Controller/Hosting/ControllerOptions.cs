using NftCluster.Controller.Cluster;
using NftCluster.Controller.Storage;

namespace NftCluster.Controller.Hosting;

/// <summary>How a controller is to run: config/controller.json, NFTCLUSTER_* and flags, in that order.</summary>
internal sealed record ControllerOptions
{
    public string StateDirectory { get; init; } = "/var/lib/nftcluster/controller";

    /// <summary>Addresses to listen on; empty = every one.</summary>
    public string Address { get; init; } = "";

    public int WebPort { get; init; } = 7443;

    public int NodePort { get; init; } = 7444;

    /// <summary>HTTP on the web port, for a proxy on the same host or a first look: only on loopback.</summary>
    public bool PlainHttp { get; init; }

    /// <summary>Certificate and key in PEM for the web port; null = made at the first start.</summary>
    public string? WebCertificate { get; init; }

    /// <summary>More names for the certificate that is made.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    public TimeSpan NodeCertificateLifetime { get; init; } = TimeSpan.FromDays(90);

    /// <summary>Traces that are older, or the oldest beyond that size, are removed; 0 = no limit.</summary>
    public RetentionLimits Retention { get; init; } = new(TimeSpan.FromDays(30), 20L << 30);

    /// <summary>What sessions have stored is written into files from time to time.</summary>
    public RotationOptions Rotation { get; init; } = new(TimeSpan.Zero, 20L << 30);

    /// <summary>Where journeys are sent as spans (OTLP over HTTP); null = nowhere.</summary>
    public Uri? OtlpEndpoint { get; init; }

    public Auth.AuthOptions Auth { get; init; } = new();

    public LinkOptions Link { get; init; } = new();
}
