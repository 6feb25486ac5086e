using NftCluster.Node.Kernel.Filter;
using NftCluster.Node.Kernel.Probes;
using NftCluster.Node.Kernel.Symbols;
using NftCluster.Node.Nftables;

namespace NftCluster.Node.Kernel;

/// <summary>The rows of nft: its verdicts by a function where one can be probed, else by netlink; how long chains and hooks took.</summary>
internal sealed class NftProbes(IReadOnlyList<PlannedProbe> plan, Attachments results, KernelTypes types, Func<string, int> mapFd, string? netnsPath) : IDisposable
{
    private INftSource? _source;

    public void Attach()
    {
        PlannedProbe? verdicts = plan.FirstOrDefault(p => p.Probe.Definition.Kind == ProbeKind.Nft && results.IsOpen(p));
        PlannedProbe[] returns = [.. plan.Where(p => p.Probe.Definition.Kind == ProbeKind.Return && results.IsOpen(p))];
        List<string> refused = [];
        foreach (Backend backend in verdicts?.Backends ?? (returns.Length == 0 ? [] : returns[0].Backends))
        {
            try
            {
                _source = backend == Backend.NftNetlink ? NftNetlinkTrace.Attach(mapFd, verdicts!.Index, netnsPath!) : Probe(backend, verdicts, returns);
                if (verdicts is not null)
                {
                    results.Attached(verdicts.Index, backend, null, _source.ProgramFd);
                }
                break;
            }
            catch (KernelException why)
            {
                refused.Add($"{Backends.NameOf(backend)}: {why.Message}");
            }
            catch (DllNotFoundException)
            {
                refused.Add("libnftables.so.1 is missing: apt-get install libnftables1");
                break;
            }
        }
        foreach (PlannedProbe left in returns.Append(verdicts).OfType<PlannedProbe>().Where(p => results.IsOpen(p) && results.States[p.Index].WhyNot is null))
        {
            results.NotAttached(left.Index, refused.Count == 0 ? "nft's functions are not probed" : string.Join("; ", refused));
        }
    }

    public Following Follow(Ruleset ruleset) => _source?.Follow(ruleset) ?? Following.Stood;

    public void Mark(int session, IReadOnlyList<IReadOnlyList<FilterNode>> filters) => _source?.Mark(session, filters);

    public long MessagesLost => _source?.MessagesLost ?? 0;

    public void Dispose() => _source?.Dispose();

    private NftFunctionTrace Probe(Backend backend, PlannedProbe? verdicts, PlannedProbe[] returns)
    {
        Backend forReturns = backend == Backend.Fentry ? Backend.Fentry : Backend.Kprobe;
        PlannedProbe[] possible = [.. returns.Where(p => p.Backends.Contains(forReturns))];
        return NftFunctionTrace.Attach(new NftFunctionWants(backend, forReturns, verdicts, possible, netnsPath!), results, types, mapFd);
    }
}
