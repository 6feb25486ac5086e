using Google.Protobuf;
using NftCluster.Messages;
using NftCluster.Messages.Link;
using NftCluster.Tests.Faults;
using NftCluster.Tests.Node.Export;
using NftCluster.Tests.Node.Uplink;

namespace NftCluster.Tests.Node.Agent;

/// <summary>The built <c>nftcluster node</c> on this kernel with a scripted controller: what arrives is acknowledged and kept here.</summary>
internal sealed class RunningAgent(ScriptedController controller, QuietNetwork network, TempDirectory directory) : IDisposable
{
    private readonly HashSet<(ulong Epoch, ulong Sequence)> _seen = [];
    private RunningProgram? _program;
    private ulong _generation;

    public ScriptedLink Link { get; private set; } = null!;

    public List<TraceRecord> Traces { get; } = [];

    public List<Loss> Losses { get; } = [];

    public SessionReport? Report { get; private set; }

    public RunningProgram Program => _program!;

    public async Task StartAsync()
    {
        _program = RunningProgram.Start("node", "--controller", controller.Address.ToString(), "--token", controller.Token.Reveal(), "--name", "r1", "--netns", network.Name, "--state-dir", directory.File("state"));
        await ReconnectAsync();
    }

    public async Task ReconnectAsync()
    {
        try
        {
            Link = await controller.AcceptAsync();
        }
        catch (TimeoutException)
        {
            Assert.Fail($"the node did not connect: {Program.Describe()}");
        }
    }

    /// <summary>Sends the whole set and waits until it is observed.</summary>
    public async Task<Observed> WantAsync(params DesiredSession[] sessions)
    {
        Desired desired = new() { ControllerIncarnation = ByteString.CopyFromUtf8("one"), Generation = ++_generation };
        desired.Session.Add(sessions);
        await Link.SendAsync(new ControllerFrame { Desired = desired });
        return await ObservedAsync(o => o.Generation == _generation);
    }

    public async Task<Observed> ObservedAsync(Func<Observed, bool> wanted)
    {
        while (true)
        {
            NodeFrame frame = await NextAsync();
            if (frame.Observed is { } observed && wanted(observed))
            {
                return observed;
            }
        }
    }

    /// <summary>Reads and acknowledges until this holds.</summary>
    public async Task UntilAsync(Func<bool> holds, string what)
    {
        try
        {
            while (!holds())
            {
                _ = await NextAsync();
            }
        }
        catch (NftCluster.TestKit.TestProbeException none)
        {
            Assert.Fail($"{what}: {none.Message}; {Traces.Count} traces, losses {string.Join(", ", Losses.Select(l => l.Stage))}; {Program.Describe()}");
        }
    }

    public int PacketsTo(int first, int count) => Traces.Where(t => t.DstPort >= first && t.DstPort < first + count).Select(t => t.DstPort).Distinct().Count();

    public void Dispose() => _program?.Dispose();

    private async Task<NodeFrame> NextAsync()
    {
        NodeFrame frame = await Link.NextAsync();
        if (frame.Data is { } data)
        {
            if (_seen.Add((data.Epoch, data.Sequence)))
            {
                Keep(DataFrame.Unpack(data));
            }
            await Link.AckAsync(data);
        }
        return frame;
    }

    private void Keep(Payload payload)
    {
        if (payload.Traces is { } traces)
        {
            Traces.AddRange(TraceBatchCodec.Decode(traces));
        }
        Losses.AddRange(payload.Losses?.Loss ?? Enumerable.Empty<Loss>());
        Report = payload.Report ?? Report;
    }
}
