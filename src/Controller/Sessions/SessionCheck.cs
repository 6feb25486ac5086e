namespace NftCluster.Controller.Sessions;

/// <summary>What a session may ask for; the first thing that is wrong, with its field. Filters are compiled by whom the host gives for it.</summary>
internal sealed class SessionCheck(Func<SessionRequest, CommandError?>? compile = null, Func<string, Predicate<Messages.PacketSide>?>? passes = null)
{
    /// <summary>From a filter to what it says of a header.</summary>
    public Func<string, Predicate<Messages.PacketSide>?>? Passes => passes;

    /// <summary>A node has 64 bits for sessions; some are its own.</summary>
    public const int MostSessions = 50;

    /// <summary>What the nodes' kernel half samples of a UDP packet.</summary>
    public const int MostSnapBytes = 32;

    private const int MostName = 128;
    private const int MostFilter = 4096;
    private const int MostItems = 256;
    private static readonly TimeSpan _longest = TimeSpan.FromDays(365);

    public CommandError? Complaint(SessionRequest request) => Fields(request) ?? compile?.Invoke(request);

    private static CommandError? Fields(SessionRequest request)
    {
        SessionLimitsRequest limits = request.Limits;
        return request switch
        {
            { Name.Length: > MostName } => Invalid("name", $"a session's name has at most {MostName} characters"),
            { Name: { } name } when name.Any(char.IsControl) => Invalid("name", "a session's name has no control characters"),
            { Mode: not ("full" or "nft") } => Invalid("mode", $"mode '{Shown(request.Mode)}' is unknown: give full or nft"),
            { Quality: not ("valuable" or "all") } => Invalid("quality", $"quality '{Shown(request.Quality)}' is unknown: give valuable or all"),
            { Filter.Length: > MostFilter } => Invalid("filter", $"a filter has at most {MostFilter} characters"),
            { SnapBytes: < 0 or > MostSnapBytes } => Invalid("snap_bytes", $"0 (none) to {MostSnapBytes} bytes of payload"),
            { Nodes.Names.Count: > MostItems } => Invalid("nodes.names", $"at most {MostItems} names"),
            { Nodes.Labels.Count: > MostItems } => Invalid("nodes.labels", $"at most {MostItems} labels"),
            { Probes.Count: > MostItems } => Invalid("probes", $"at most {MostItems} probes"),
            _ when limits.Duration is { } duration && (duration <= TimeSpan.Zero || duration > _longest) => Invalid("limits.duration", "a duration is more than 0 and at most 365 days"),
            _ when limits.Packets < 0 => Invalid("limits.packets", "a limit is 0 (none) or more"),
            _ when limits.PacketsPerNode < 0 => Invalid("limits.packets_per_node", "a limit is 0 (none) or more"),
            _ when limits.EventsPerSecond < 0 => Invalid("limits.events_per_second", "a limit is 0 (none) or more"),
            _ when limits.CpuPercent is < 0 or double.NaN or > 100_000 => Invalid("limits.cpu_percent", "a limit is 0 (none) or more, 100 is one core"),
            _ when limits.MemoryBytes < 0 => Invalid("limits.memory_bytes", "a limit is 0 (none) or more"),
            _ when limits.DiskBytes < 0 => Invalid("limits.disk_bytes", "a limit is 0 (none) or more"),
            _ => null,
        };
    }

    private static CommandError Invalid(string field, string text) => new(CommandError.Invalid, field, text);

    private static string Shown(string text) => new([.. text.Take(32).Where(c => !char.IsControl(c))]);
}
