using System.CommandLine;
using System.Globalization;
using NftCluster.Cli.Views;
using NftCluster.Node.Kernel;
using NftCluster.Node.Kernel.Probes;
using NftCluster.Node.Pipeline;
using NftCluster.Node.Sessions;

namespace NftCluster.Cli;

/// <summary>The options of <c>trace</c>, and what they mean once checked.</summary>
internal sealed class TraceOptions
{
    private const string FullMode = "full";
    private const string NftMode = "nft";

    private readonly Argument<string[]> _filter = new("filter") { Description = "pcap-filter(7) expression, as for tcpdump: host 10.3.0.2 and tcp port 80", Arity = ArgumentArity.ZeroOrMore };
    private readonly Option<string> _mode = new("--mode") { Description = "What to watch: full (functions, tracepoints and nft verdicts), nft (verdicts and hooks only).", DefaultValueFactory = _ => FullMode };
    private readonly Option<string?> _device = Text("--dev", "DEVICE", "Only packets that pass this device.");
    private readonly Option<string?> _netns = Text("--netns", "NAME", "Network namespace: a name, a path, a process id, or all. Default: this one.");
    private readonly Option<string?> _mark = Text("--mark", "VALUE[/MASK]", "Only packets with this mark when they come to a door.");
    private readonly Option<string?> _probes = new("--probes") { Description = "all, light (doors and drops only), nft (as --mode nft), five, or names separated by commas; unless given, what the mode watches." };
    private readonly Option<bool> _light = new("--light") { Description = "Short for --probes light: doors and drops only." };
    private readonly Option<string> _backend = new("--backend") { Description = "How functions are watched, and with them nft's verdicts: auto, fentry, kprobe-multi, kprobe, tracepoint, netfilter or nft-netlink.", DefaultValueFactory = _ => Backends.Auto };
    private readonly Option<string?> _duration = Text("--duration", "TIME", "Stop after this long: 10s, 5m, 1h; at most 1000h.");
    private readonly Option<string?> _maxPackets = Text("--max-packets", "N", "Stop after exactly this many packets were shown and exported; the statistics count on until it has stopped.");
    private readonly Option<string?> _export = Text("--export", "DIR", "Write a JSON export into this directory.");
    private readonly Option<bool> _all = new("--all") { Description = "Show and export lone events, too, not only valuable traces." };
    private readonly Option<bool> _json = new("--json") { Description = "One line of JSON per closed trace on standard output." };
    private readonly Option<bool> _summary = new("--summary") { Description = "No journeys: only the totals at the end." };
    private readonly Option<string?> _readyFile = Text("--ready-file", "PATH", "Write this file once everything is attached, and remove it at the end.");
    private readonly Option<string?> _name = Text("--name", "ID", "The session's id. Default: random.");
    private readonly Option<string?> _ring = Text("--ring-mb", "N", "Size of the ring buffer in MiB, a power of two. Default: 32.");
    private readonly Option<string?> _timeout = Text("--timeout", "TIME", "Close a packet's trace after this long without an event. Default: 5s.");
    private readonly Option<string?> _maxOpen = Text("--max-open", "N", "Open traces kept at once, the oldest is evicted. Default: 100000.");
    private readonly Option<string?> _snap = Text("--snap-bytes", "N", "Keep so many of each payload's first bytes, at most 32. Default: none.");
    private readonly Option<string?> _filterFile = Text("--filter-file", "PATH", "Read the filter from this file, and again whenever it changes: replaced while running.");

    public TraceFilterOptions Display { get; } = new();

    public TraceOptions AddTo(Command command)
    {
        command.Arguments.Add(_filter);
        _backend.CompletionSources.Add([Backends.Auto, .. Backends.Names]);
        _mode.CompletionSources.Add(FullMode, NftMode);
        foreach (Option option in new Option[] { _mode, _device, _netns, _mark, _probes, _light, _backend, _duration, _maxPackets, _export, _all, _json, _summary, _readyFile, _name, _ring, _timeout, _maxOpen, _snap, _filterFile })
        {
            command.Options.Add(option);
        }
        Display.AddTo(command);
        return this;
    }

    /// <summary>Throws <see cref="UsageException"/> with one line that says which value is wrong and what would be right.</summary>
    public TraceRequest Bind(ParseResult parsed)
    {
        string mode = parsed.GetValue(_mode)!;
        if (mode is not (FullMode or NftMode))
        {
            throw new UsageException($"--mode '{mode}' is unknown: give full or nft");
        }
        string? filterFile = parsed.GetValue(_filterFile);
        string[] words = parsed.GetValue(_filter) ?? [];
        if (words.FirstOrDefault(word => word.StartsWith("--", StringComparison.Ordinal)) is { } option)
        {
            throw new UsageException($"unknown option {option} (see: nftcluster trace --help)");
        }
        string expression = string.Join(' ', words);
        if (filterFile is not null && expression.Length > 0)
        {
            throw new UsageException("a filter on the command line and --filter-file exclude each other: give one of them");
        }
        if (parsed.GetValue(_json) && parsed.GetValue(_summary))
        {
            throw new UsageException("--json and --summary exclude each other: give one of them");
        }
        if (!ProbeSelection.TryParse(parsed.GetValue(_light) ? "light" : parsed.GetValue(_probes) ?? (mode == NftMode ? NftMode : "all"), out IReadOnlyList<ProbeDefinition> probes, out string? error))
        {
            throw new UsageException(error!);
        }
        if (!Display.TryBind(parsed, out TraceFilter display, out error))
        {
            throw new UsageException(error!);
        }
        string? netns = parsed.GetValue(_netns);
        return new TraceRequest
        {
            Spec = new SessionSpec
            {
                Id = SessionId(parsed.GetValue(_name)),
                Mode = mode,
                Filter = filterFile is null ? expression : FilterFile.Read(filterFile),
                Device = parsed.GetValue(_device),
                Netns = netns,
                Mark = parsed.GetValue(_mark),
                MaxPackets = Number(parsed, _maxPackets, 1, long.MaxValue, 0),
                SnapBytes = (int)Number(parsed, _snap, 0, PacketHeader.MostPayloadBytes, 0),
                Quality = parsed.GetValue(_all) ? Node.Export.TraceQuality.All : Node.Export.TraceQuality.Valuable,
                Tracker = new TrackerOptions
                {
                    TimeoutNs = (ulong)(Time(parsed, _timeout, TimeSpan.FromSeconds(5)).TotalMilliseconds * 1e6),
                    MaxOpen = (int)Number(parsed, _maxOpen, 1, 10_000_000, 100_000),
                },
            },
            Tracer = new TracerOptions
            {
                Probes = probes,
                Backend = BackendOf(parsed.GetValue(_backend)!),
                BackendIsRequired = true,
                NetnsPath = SessionWants.PathOf(netns),
                RingBytes = RingBytes(parsed),
            },
            Display = display,
            Duration = parsed.GetValue(_duration) is null ? null : Time(parsed, _duration, default),
            ExportDirectory = parsed.GetValue(_export),
            Json = parsed.GetValue(_json),
            Summary = parsed.GetValue(_summary),
            ReadyFile = parsed.GetValue(_readyFile),
            FilterFile = filterFile,
        };
    }

    internal static Backend? BackendOf(string name)
    {
        if (name == Backends.Auto)
        {
            return null;
        }
        return Backends.TryParse(name, out Backend backend)
            ? backend
            : throw new UsageException($"--backend '{name}' is unknown: give auto, {string.Join(", ", Backends.Names)}");
    }

    internal static Option<string?> Text(string name, string help, string description) => new(name) { Description = description, HelpName = help };

    private static uint RingBytes(ParseResult parsed, Option<string?> option)
    {
        long megabytes = Number(parsed, option, 1, 1024, 32);
        return long.IsPow2(megabytes) ? (uint)(megabytes << 20) : throw new UsageException($"--ring-mb {megabytes} is no power of two: give 1, 2, 4 … 1024");
    }

    private uint RingBytes(ParseResult parsed) => RingBytes(parsed, _ring);

    private static string SessionId(string? name)
    {
        if (name is null)
        {
            return Guid.NewGuid().ToString("N")[..8];
        }
        return name.Length is > 0 and <= 64 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.')
            ? name
            : throw new UsageException($"--name '{name}' is no session id: give letters, digits, - and ., at most 64");
    }

    private static long Number(ParseResult parsed, Option<string?> option, long least, long most, long absent)
    {
        string? text = parsed.GetValue(option);
        return text is null ? absent
            : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) && number >= least && number <= most ? number
            : throw new UsageException($"{option.Name} '{text}' is out of range: give a whole number from {least} to {most}");
    }

    internal static TimeSpan Time(ParseResult parsed, Option<string?> option, TimeSpan absent)
    {
        string? text = parsed.GetValue(option);
        if (text is null)
        {
            return absent;
        }
        (string digits, double unit) = text switch
        {
            [.. var number, 'm', 's'] => (number, 0.001),
            [.. var number, 's'] => (number, 1),
            [.. var number, 'm'] => (number, 60),
            [.. var number, 'h'] => (number, 3600),
            _ => (text, 1.0),
        };
        const double MostSeconds = 1000 * 3600.0; // the runtime's timers end at 49.7 days
        return double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value) && value > 0 && value * unit <= MostSeconds
            ? TimeSpan.FromSeconds(value * unit)
            : throw new UsageException($"{option.Name} '{text}' is no time: give 500ms, 10s, 5m or 1h, at most 1000h");
    }
}

/// <summary>A checked <c>trace</c> command line.</summary>
internal sealed record TraceRequest
{
    public required SessionSpec Spec { get; init; }

    public required TracerOptions Tracer { get; init; }

    public required TraceFilter Display { get; init; }

    public TimeSpan? Duration { get; init; }

    public string? ExportDirectory { get; init; }

    public bool Json { get; init; }

    public bool Summary { get; init; }

    public string? ReadyFile { get; init; }

    public string? FilterFile { get; init; }
}
