using System.Globalization;
using System.Text.Json;
using NftCluster.Controller.Cluster;

namespace NftCluster.Controller.Hosting;

/// <summary>
/// Reads a controller's settings: the file (JSON with comments), then the environment (NFTCLUSTER_CONTROLLER_WEB_PORT), then flags.
/// The later one counts; what nobody knows is an error that names the place.
/// </summary>
internal static class ControllerSettings
{
    private const string Prefix = "NFTCLUSTER_CONTROLLER_";
    private const int MostFileBytes = 1 << 20;

    private static readonly Dictionary<string, Func<ControllerOptions, string, ControllerOptions>> _settings = new(StringComparer.Ordinal)
    {
        ["state_dir"] = (options, value) => options with { StateDirectory = value.Length > 0 ? value : throw new FormatException("a directory is needed") },
        ["address"] = (options, value) => options with { Address = value.Length == 0 || System.Net.IPAddress.TryParse(value, out _) ? value : throw new FormatException("an IP address is needed, or nothing for all") },
        ["web_port"] = (options, value) => options with { WebPort = Port(value) },
        ["node_port"] = (options, value) => options with { NodePort = Port(value) },
        ["plain_http"] = (options, value) => options with { PlainHttp = bool.TryParse(value, out bool yes) ? yes : throw new FormatException("true or false is needed") },
        ["web_certificate"] = (options, value) => options with { WebCertificate = value.Length > 0 ? value : null },
        ["names"] = (options, value) => options with { Names = value.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries) },
        ["node_certificate_days"] = (options, value) => options with { NodeCertificateLifetime = TimeSpan.FromDays(Number(value, 1, 825)) },
        ["access_token_hours"] = (options, value) => options with { Auth = options.Auth with { AccessTokenLifetime = TimeSpan.FromHours(Number(value, 1, 24 * 365)) } },
        ["refresh_token_days"] = (options, value) => options with { Auth = options.Auth with { RefreshTokenLifetime = TimeSpan.FromDays(Number(value, 1, 3_650)) } },
        ["admin_password_file"] = (options, value) => options with { Auth = options.Auth with { AdminPasswordFile = value.Length > 0 ? value : null } },
        ["retention_days"] = (options, value) => options with { Retention = options.Retention with { Age = TimeSpan.FromDays(Number(value, 0, 36_500)) } },
        ["retention_gib"] = (options, value) => options with { Retention = options.Retention with { Bytes = Number(value, 0, 1 << 20) << 30 } },
        ["otlp_endpoint"] = (options, value) => options with { OtlpEndpoint = value.Length == 0 ? null : Uri.TryCreate(value, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https" ? uri : throw new FormatException("a URL such as http://collector:4318 is needed") },
        ["export_every_minutes"] = (options, value) => options with { Rotation = options.Rotation with { Every = TimeSpan.FromMinutes(Number(value, 0, 60 * 24 * 31)) } },
        ["export_keep_gib"] = (options, value) => options with { Rotation = options.Rotation with { KeptBytes = Number(value, 0, 1 << 20) << 30 } },
    };

    public static IEnumerable<string> Names => _settings.Keys;

    /// <summary>Throws <see cref="ClusterException"/>: one line with the place and what would be right.</summary>
    public static ControllerOptions Read(string? file, IEnumerable<KeyValuePair<string, string?>> environment, IEnumerable<(string Name, string Value)> flags)
    {
        ControllerOptions options = new();
        if (file is not null)
        {
            options = FromFile(options, file);
        }
        foreach ((string variable, string? value) in environment.Where(one => one.Key.StartsWith(Prefix, StringComparison.Ordinal)).OrderBy(one => one.Key, StringComparer.Ordinal))
        {
            options = Set(options, variable[Prefix.Length..].ToLowerInvariant(), value ?? "", variable);
        }
        foreach ((string name, string value) in flags)
        {
            options = Set(options, name, value, $"--{name.Replace('_', '-')}");
        }
        return Checked(options);
    }

    private static ControllerOptions FromFile(ControllerOptions options, string file)
    {
        try
        {
            if (new FileInfo(file) is { Exists: true, Length: > MostFileBytes })
            {
                throw new ClusterException($"{file} has more than {MostFileBytes} bytes: it is not a configuration");
            }
            using var document = JsonDocument.Parse(File.ReadAllText(file), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw new ClusterException($"{file} is not an object of settings");
            }
            foreach (JsonProperty property in document.RootElement.EnumerateObject())
            {
                string value = property.Value.ValueKind switch
                {
                    JsonValueKind.Array => string.Join(',', property.Value.EnumerateArray().Select(item => item.ToString())),
                    JsonValueKind.Null => "",
                    _ => property.Value.ToString(),
                };
                options = Set(options, property.Name, value, $"{file}: {property.Name}");
            }
            return options;
        }
        catch (Exception failure) when (failure is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new ClusterException($"cannot read {file}: {failure.Message.ReplaceLineEndings(" ")}", failure);
        }
    }

    private static ControllerOptions Set(ControllerOptions options, string name, string value, string place)
    {
        if (!_settings.TryGetValue(name, out Func<ControllerOptions, string, ControllerOptions>? set))
        {
            throw new ClusterException($"{place} is not a setting of the controller: there are {string.Join(", ", _settings.Keys)}");
        }
        try
        {
            return set(options, value);
        }
        catch (FormatException wrong)
        {
            throw new ClusterException($"{place} cannot be '{value}': {wrong.Message}", wrong);
        }
    }

    private static ControllerOptions Checked(ControllerOptions options)
    {
        if (options.PlainHttp && options.Address.Length > 0 && !System.Net.IPAddress.IsLoopback(System.Net.IPAddress.Parse(options.Address)))
        {
            throw new ClusterException($"plain_http is for loopback only, and address is {options.Address}: leave one of them out");
        }
        return options.WebPort == options.NodePort && options.WebPort != 0
            ? throw new ClusterException($"web_port and node_port are both {options.WebPort}: browsers and nodes need a port each")
            : options;
    }

    private static int Port(string value) => (int)Number(value, 0, 65535);

    private static long Number(string value, long least, long most) => long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long number) && number >= least && number <= most
        ? number
        : throw new FormatException($"a number from {least} to {most} is needed");
}
