using NftCluster.Node.Kernel.Filter;
using NftCluster.Node.Kernel.Native;
using NftCluster.Node.Kernel.Probes;
using NftCluster.Node.Kernel.Symbols;
using NftCluster.Node.Nftables;

namespace NftCluster.Node.Kernel;

/// <summary>What to attach, and how. Everything else can change while it runs.</summary>
internal sealed record TracerOptions
{
    public IReadOnlyList<ProbeDefinition> Probes { get; init; } = ProbeCatalog.All;

    /// <summary>Null = the best this kernel allows, per probe.</summary>
    public Backend? Backend { get; init; }

    /// <summary>A forced backend that attaches nothing is then an error, not only a remark in the listing.</summary>
    public bool BackendIsRequired { get; init; }

    /// <summary>Where netfilter hooks are watched; null = several namespaces, so nowhere.</summary>
    public string? NetnsPath { get; init; }

    /// <summary>Bytes, a power of two.</summary>
    public uint RingBytes { get; init; } = 32 << 20;
}

/// <summary>Totals of the kernel half, cumulative since it was attached.</summary>
internal sealed record KernelCounts(long Attempted, long RingFull, long TrackEvicted, long UnattributedFlows, long Unasked, long Untimed, long ProbesMissed, long NftMessagesLost = 0);

/// <summary>
/// The kernel half of one node: one set of attachments, up to 64 sessions on it. Owned by the node's actor; not thread-safe.
/// </summary>
internal sealed unsafe class KernelTracer : IDisposable
{
    /// <summary>Any function that every kernel has and lets be traced: only to find out whether it may be.</summary>
    private const string TrialFunction = "ip_rcv";

    private readonly KernelTypes _types;
    private readonly KernelProbes _probes;
    private readonly SessionFilters _sessions;
    private readonly Dictionary<int, IReadOnlyList<FilterNode>> _filters = [];
    private readonly int _countersFd;
    private readonly int _probeHitsFd;

    private KernelTracer(KernelTypes types, KernelProbes probes, TracerOptions options)
    {
        _types = types;
        _probes = probes;
        _countersFd = probes.MapFd("counters");
        _probeHitsFd = probes.MapFd("probe_hits");
        _sessions = new SessionFilters(new FilterMaps(probes.MapFd("control"), probes.MapFd("session_filters"), probes.MapFd("filter_nodes"), probes.MapFd("filter_reads")), options.RingBytes / 8);
        Ring = new RingBufferReader(probes.MapFd("events"), options.RingBytes);
        DropReasons = new DropReasons(types);
        NetnsPath = options.NetnsPath;
    }

    /// <summary>The one namespace whose hooks and rules are watched; null = several.</summary>
    public string? NetnsPath { get; }

    public RingBufferReader Ring { get; }

    public DropReasons DropReasons { get; }

    public IReadOnlyList<ProbeState> Probes => _probes.States;

    /// <summary>Throws <see cref="KernelException"/> with one line that says what is missing.</summary>
    public static KernelTracer Attach(TracerOptions options, Task<KernelSymbols> symbols)
    {
        if (Libc.geteuid() != 0)
        {
            throw new KernelException("tracing the kernel needs root: run it with sudo");
        }
        var types = KernelTypes.Load();
        KernelProbes? probes = null;
        try
        {
            var can = KernelCapabilities.Probe(TrialFunction, types.IdOfFunction(TrialFunction));
            ResolvedProbe[] catalog = [.. ProbeCatalog.All.Select(p => ProbeResolver.Resolve(p, types))];
            IReadOnlyList<PlannedProbe> plan = AttachmentPlan.Make(catalog, options.Probes.ToHashSet(), can, options.Backend, options.NetnsPath is not null, name => symbols.GetAwaiter().GetResult().Contains(name));
            if (options is { BackendIsRequired: true, Backend: { } forced } && can.WhyNot(forced) is { } refusal)
            {
                throw new KernelException($"--backend {Backends.NameOf(forced)}: {refusal} (--backend auto takes the best there is)");
            }
            probes = new KernelProbes(plan, types, options.RingBytes, options.NetnsPath, DirectMemory.IsAllowed(types));
            probes.Attach();
            return probes.States.Any(p => p.Backend is not null)
                ? new KernelTracer(types, probes, options)
                : throw new KernelException($"no probe could be attached: {probes.States.First(p => p.WhyNot is not null && options.Probes.Contains(p.Definition)).WhyNot} (see: nftcluster probes)");
        }
        catch
        {
            probes?.Dispose();
            types.Dispose();
            throw;
        }
    }

    /// <summary>A bit for a session that is about to start. Throws when 64 sessions run.</summary>
    public int Reserve() => _sessions.Reserve();

    /// <summary>Events flow from now on. Throws when the filter finds no room.</summary>
    public void Open(int bit, SessionFilter want, IReadOnlyList<FilterNode> nodes) => Replace(bit, want, nodes);

    /// <summary>
    /// The new filter holds for every packet that comes to a door from now on; nothing is re-attached. Meanwhile nft's trace is
    /// switched on for what either of them wants.
    /// </summary>
    public void Replace(int bit, SessionFilter want, IReadOnlyList<FilterNode> nodes)
    {
        IReadOnlyList<IReadOnlyList<FilterNode>> before = _filters.TryGetValue(bit, out IReadOnlyList<FilterNode>? old) ? [old] : [];
        try
        {
            _probes.Mark(bit, [.. before, nodes]);
            _sessions.Replace(bit, want, nodes);
        }
        catch (KernelException)
        {
            _probes.Mark(bit, before);
            throw;
        }
        _filters[bit] = nodes;
        _probes.Mark(bit, nodes);
    }

    /// <summary>No more events for this bit, which stays taken.</summary>
    public void Quiet(int bit)
    {
        _sessions.Quiet(bit);
        if (_filters.Remove(bit))
        {
            _probes.Mark(bit);
        }
    }

    public void Close(int bit)
    {
        Quiet(bit);
        _sessions.Close(bit);
    }

    /// <summary>The ruleset that is in force now: nft's trace follows it. True when it had to be switched on somewhere.</summary>
    public Following Follow(Ruleset ruleset) => _probes.Follow(ruleset);

    public KernelCounts Counts()
    {
        long attempted = 0;
        long lost = 0;
        long evicted = 0;
        long unattributed = 0;
        long unasked = 0;
        long untimed = 0;
        for (uint cpu = 0; cpu < TraceAbi.MaxCpus; cpu++)
        {
            CpuCounters counters;
            if (LibBpf.bpf_map_lookup_elem(_countersFd, &cpu, &counters) == 0)
            {
                attempted += (long)counters.Attempted;
                lost += (long)counters.Lost;
                evicted += (long)counters.Evicted;
                unattributed += (long)counters.Unattributed;
                unasked += (long)counters.Unasked;
                untimed += (long)counters.Untimed;
            }
        }
        long missed = Probes.Where(p => p.ProgramFd >= 0).DistinctBy(p => p.ProgramFd).Sum(p => ProgramInfo.Misses(p.ProgramFd));
        return new KernelCounts(attempted, lost, evicted, unattributed, unasked, untimed, missed, _probes.NftMessagesLost);
    }

    /// <summary>Hits of a probe that shows no packets; others are counted by who reads their events.</summary>
    public long HitsWithoutPacket(int probe)
    {
        uint key = (uint)probe;
        ulong hits;
        return LibBpf.bpf_map_lookup_elem(_probeHitsFd, &key, &hits) == 0 ? (long)hits : 0;
    }

    public void Dispose()
    {
        Ring.Dispose();
        _probes.Dispose();
        _types.Dispose();
    }
}
