using System.Security.Cryptography;
using NftCluster.Messages.Link;
using NftCluster.Node.Uplink;

namespace NftCluster.Bench.Fleet;

/// <summary>A node's half of the link without a kernel and without a spool: joins as every node does, sends frames that were made beforehand, within the credit, and waits for their commit.</summary>
internal sealed class SimulatedNode : IAsyncDisposable
{
    private readonly ulong _epoch = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)) | 1;
    private readonly SemaphoreSlim _moved = new(0);
    private readonly Queue<(ulong Sequence, int Bytes)> _underWay = new();
    private LinkSocket? _socket;
    private ulong _sequence;
    private long _credit;
    private long _bytesUnderWay;
    private string? _ended;

    private SimulatedNode(string name) => Name = name;

    public string Name { get; }

    public static ControllerAddress Address { get; } = ControllerAddress.TryParse($"https://127.0.0.1:{FleetController.NodePort}", out ControllerAddress? address) ? address! : throw new InvalidOperationException("no address");

    /// <summary>The directory is the node's own.</summary>
    public static async Task<NodeIdentity> JoinAsync(string name, string directory, string token)
    {
        Directory.CreateDirectory(directory);
        NodeIdentity identity = new(directory);
        if (!JoinToken.TryParse(token, out JoinToken? parsed))
        {
            throw new InvalidOperationException("the controller made a token that cannot be read");
        }
        await new Enrollment(identity, TimeProvider.System).JoinAsync(Address, parsed!, name, new Dictionary<string, string>(StringComparer.Ordinal), CancellationToken.None);
        return identity;
    }

    public static async Task<SimulatedNode> ConnectAsync(string name, NodeIdentity identity)
    {
        SimulatedNode node = new(name);
        node._socket = await LinkSocket.ConnectAsync(Address, identity, TimeProvider.System, CancellationToken.None);
        TaskCompletionSource<Welcome> welcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
        node._socket.Start(frame => node.Take(frame, welcome), why =>
        {
            node._ended = why;
            welcome.TrySetException(new InvalidOperationException(why));
            node._moved.Release();
        });
        node._socket.TrySend(new NodeFrame { Hello = new Hello { ProtocolOldest = 1, ProtocolNewest = 1, Name = name, Epoch = node._epoch, Host = new Host { Hostname = name, Version = "bench", KernelRelease = "none" } } });
        node._credit = (long)(await welcome.Task.WaitAsync(TimeSpan.FromSeconds(30))).CreditBytes;
        return node;
    }

    /// <summary>Under the next number, as soon as the credit allows.</summary>
    public async Task SendAsync(Data frame)
    {
        Data numbered = frame.Clone();
        numbered.Epoch = _epoch;
        numbered.Sequence = ++_sequence;
        int bytes = numbered.Payload.Length;
        while (Interlocked.Read(ref _bytesUnderWay) + bytes > Interlocked.Read(ref _credit))
        {
            await WaitAsync();
        }
        lock (_underWay)
        {
            _underWay.Enqueue((numbered.Sequence, bytes));
        }
        Interlocked.Add(ref _bytesUnderWay, bytes);
        if (!_socket!.TrySend(new NodeFrame { Data = numbered }))
        {
            throw new InvalidOperationException("the writer is behind");
        }
    }

    /// <summary>All that was sent is durable at the controller.</summary>
    public async Task CommittedAsync()
    {
        while (Interlocked.Read(ref _bytesUnderWay) > 0)
        {
            await WaitAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_socket is not null)
        {
            await _socket.DisposeAsync();
        }
        _moved.Dispose();
    }

    private async Task WaitAsync()
    {
        await _moved.WaitAsync();
        if (_ended is { } why)
        {
            throw new InvalidOperationException($"{Name}: {why}");
        }
    }

    private void Take(ControllerFrame frame, TaskCompletionSource<Welcome> welcome)
    {
        if (frame.FrameCase == ControllerFrame.FrameOneofCase.Welcome)
        {
            welcome.TrySetResult(frame.Welcome);
        }
        else if (frame.FrameCase == ControllerFrame.FrameOneofCase.Refusal)
        {
            _ended = frame.Refusal.Text;
            welcome.TrySetException(new InvalidOperationException(frame.Refusal.Text));
        }
        else if (frame.FrameCase == ControllerFrame.FrameOneofCase.Ack && frame.Ack.Epoch == _epoch)
        {
            long freed = 0;
            lock (_underWay)
            {
                while (_underWay.TryPeek(out (ulong Sequence, int Bytes) oldest) && oldest.Sequence <= frame.Ack.Sequence)
                {
                    freed += _underWay.Dequeue().Bytes;
                }
            }
            Interlocked.Exchange(ref _credit, (long)frame.Ack.CreditBytes);
            Interlocked.Add(ref _bytesUnderWay, -freed);
            _moved.Release();
        }
    }
}
