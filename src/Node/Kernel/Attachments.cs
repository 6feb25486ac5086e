using System.ComponentModel;
using NftCluster.Node.Kernel.Native;
using NftCluster.Node.Kernel.Probes;

namespace NftCluster.Node.Kernel;

/// <summary>One row of the catalog as it is on this kernel now.</summary>
internal sealed record ProbeState(int Index, ProbeDefinition Definition, Backend? Backend, string? WhyNot, int ProgramFd);

/// <summary>What came of each planned probe, and the links that hold what is attached.</summary>
internal sealed class Attachments : IDisposable
{
    private const int KernelNotSupported = 524; // ENOTSUPP, which libc does not know: fentry and more than six arguments (Linux 6.1)

    private readonly ProbeState[] _states;
    private readonly List<BpfLink> _links = [];

    public Attachments(IReadOnlyList<PlannedProbe> plan) =>
        _states = [.. plan.Select(p => new ProbeState(p.Index, p.Probe.Definition, null, p.WhyNot, -1))];

    public IReadOnlyList<ProbeState> States => _states;

    /// <summary>Neither attached nor given up.</summary>
    public bool IsOpen(PlannedProbe planned) => planned.WhyNot is null && _states[planned.Index].Backend is null;

    /// <summary>The link may be null where several rows share one: <see cref="Own"/> it.</summary>
    public void Attached(int index, Backend backend, BpfLink? link, int programFd)
    {
        Own(link);
        _states[index] = _states[index] with { Backend = backend, WhyNot = null, ProgramFd = programFd };
    }

    public void Own(BpfLink? link)
    {
        if (link is not null)
        {
            _links.Add(link);
        }
    }

    public void NotAttached(int index, string why) => _states[index] = _states[index] with { WhyNot = why };

    public void Dispose()
    {
        foreach (BpfLink link in _links)
        {
            link.Dispose();
        }
        _links.Clear();
    }

    public static string Text(int errno) => errno == KernelNotSupported ? "this kernel does not support it" : new Win32Exception(errno).Message;
}
