using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace NftCluster.Bench.Fleet;

/// <summary>The built <c>nftcluster controller</c> as a process of its own, on loopback, with an admin's token; its memory and processor time are told by /proc.</summary>
internal sealed partial class FleetController : IDisposable
{
    private const int ClockTicksPerSecond = 100; // USER_HZ, the same on every Linux of this architecture
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly string _program;
    private readonly string _directory = Directory.CreateTempSubdirectory("nftcluster-bench-").FullName;
    private Process? _process;

    public FleetController(string program) => _program = program;

    public HttpClient Api { get; } = new() { BaseAddress = new Uri($"http://127.0.0.1:{WebPort}"), Timeout = _patience };

    public static int WebPort => 27_443;

    public static int NodePort => 27_444;

    public string AccessToken { get; private set; } = "";

    /// <summary>With the pages of the database that are mapped: the page cache's, which the kernel takes back when it likes.</summary>
    public long PeakResidentBytes => Status("VmHWM") * 1024;

    /// <summary>Memory that is the process's alone.</summary>
    public long PrivateBytes => Status("RssAnon") * 1024;

    public long ResidentBytes => Status("VmRSS") * 1024;

    public TimeSpan ProcessorTime
    {
        get
        {
            string status = File.ReadAllText($"/proc/{_process!.Id}/stat");
            string[] fields = status[(status.LastIndexOf(')') + 2)..].Split(' ');
            return TimeSpan.FromSeconds((double)(long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / ClockTicksPerSecond);
        }
    }

    /// <summary>Starts it and returns when it answers; the first time it also logs in.</summary>
    public async Task StartAsync()
    {
        ProcessStartInfo start = new(_program, ["controller", "--state-dir", _directory, "--web-port", $"{WebPort}", "--node-port", $"{NodePort}", "--plain-http"]) { UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true };
        _process = Process.Start(start) ?? throw new InvalidOperationException($"{_program} did not start");
        TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
        string? password = null;
        _process.ErrorDataReceived += (_, line) =>
        {
            password ??= Password().Match(line.Data ?? "") is { Success: true } match ? match.Groups["word"].Value : null;
            if (line.Data is null)
            {
                ready.TrySetException(new InvalidOperationException("the controller ended"));
            }
            else if (line.Data.Contains("log in:", StringComparison.Ordinal) || (line.Data.Contains("ready at", StringComparison.Ordinal) && AccessToken.Length > 0))
            {
                ready.TrySetResult();
            }
        };
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        await ready.Task.WaitAsync(_patience);
        if (AccessToken.Length == 0)
        {
            await LogInAsync(password ?? throw new InvalidOperationException("the controller printed no password"));
        }
    }

    public async Task<JsonElement> PostAsync(string path, object body)
    {
        using HttpResponseMessage response = await Api.PostAsJsonAsync(path, body);
        string text = await response.Content.ReadAsStringAsync();
        return response.IsSuccessStatusCode ? JsonDocument.Parse(text).RootElement : throw new InvalidOperationException($"{path}: {text}");
    }

    public async Task<JsonElement> GetAsync(string path) => JsonDocument.Parse(await Api.GetStringAsync(path)).RootElement;

    public void Kill()
    {
        _process!.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _process = null;
    }

    public void Dispose()
    {
        if (_process is not null)
        {
            Kill();
        }
        Api.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task LogInAsync(string password)
    {
        string first = (await PostAsync("/api/auth/login", new { username = "admin", password })).GetProperty("access_token").GetString()!;
        Api.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", first);
        AccessToken = (await PostAsync("/api/auth/password", new { current_password = password, new_password = $"bench-{password}" })).GetProperty("access_token").GetString()!;
        Api.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", AccessToken);
    }

    private long Status(string name) =>
        long.Parse(File.ReadLines($"/proc/{_process!.Id}/status").First(line => line.StartsWith(name, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);

    [GeneratedRegex("password (?<word>[A-Za-z0-9]+)$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Password();
}
