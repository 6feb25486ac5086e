using NftCluster.Node.Kernel.Filter;
using NftCluster.Node.Kernel.Probes;
using NftCluster.Node.Kernel.Symbols;
using NftCluster.Node.Nftables;

namespace NftCluster.Node.Kernel;

/// <summary>Attaches the planned probes: each the best way this kernel lets it; a function that cannot be attached is tried with the next backend.</summary>
internal sealed class KernelProbes : IDisposable
{
    private readonly IReadOnlyList<PlannedProbe> _plan;
    private readonly Attachments _results;
    private readonly TracingPrograms _tracing;
    private readonly KprobePrograms _kprobes;
    private readonly NftProbes _nft;

    public KernelProbes(IReadOnlyList<PlannedProbe> plan, KernelTypes types, uint ringBytes, string? netnsPath, bool directMemory)
    {
        _plan = plan;
        _results = new Attachments(plan);
        _tracing = new TracingPrograms(plan, _results, ringBytes, netnsPath, directMemory);
        _kprobes = new KprobePrograms(_tracing, _results);
        _nft = new NftProbes(plan, _results, types, _tracing.MapFd, netnsPath);
    }

    public IReadOnlyList<ProbeState> States => _results.States;

    public int MapFd(string name) => _tracing.MapFd(name);

    public void Attach()
    {
        LibbpfLog.Capture();
        _tracing.Attach();
        PlannedProbe[] left = [.. _plan.Where(p => p.Probe.Definition.Kind == ProbeKind.Function && _results.IsOpen(p) && p.Backends.Any(b => b is Backend.Kprobe or Backend.KprobeMulti))];
        if (left.Length > 0)
        {
            _kprobes.LoadAndAttach(left);
        }
        _nft.Attach();
    }

    /// <summary>nft's trace is switched on where the ruleset has chains. True when it had to be.</summary>
    public Following Follow(Ruleset ruleset) => _nft.Follow(ruleset);

    /// <summary>What nft's trace is switched on for: this session's filters.</summary>
    public void Mark(int session, params IReadOnlyList<IReadOnlyList<FilterNode>> filters) => _nft.Mark(session, filters);

    public long NftMessagesLost => _nft.MessagesLost;

    public void Dispose()
    {
        _nft.Dispose();
        _results.Dispose();
        _kprobes.Dispose();
        _tracing.Dispose();
    }
}
