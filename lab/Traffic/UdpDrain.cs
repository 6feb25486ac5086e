using System.Buffers.Binary;
using System.Collections;
using System.Net.Sockets;

namespace NftCluster.Lab;

/// <summary>Empties UDP sockets on a thread of its own and counts each number once.</summary>
internal sealed class UdpDrain : IDisposable
{
    private const int SolSocket = 1;
    private const int SoRcvBufForce = 33;

    /// <summary>Nothing for so long after the last packet was sent: the rest is lost.</summary>
    private static readonly TimeSpan _idle = TimeSpan.FromMilliseconds(300);

    private readonly Socket[] _sockets;
    private readonly BitArray _seen;
    private readonly Thread _thread;
    private long _received;
    private long _duplicates;
    private long _expected = long.MaxValue;
    private volatile bool _stop;

    public UdpDrain(Socket[] sockets, int count)
    {
        _sockets = sockets;
        _seen = new BitArray(count);
        _thread = new Thread(Loop) { IsBackground = true, Name = "lab udp drain" };
        _thread.Start();
    }

    public long Received => Volatile.Read(ref _received);

    public long Duplicates => Volatile.Read(ref _duplicates);

    /// <summary>Beyond net.core.rmem_max, which only root may do.</summary>
    public static void EnlargeBuffer(Socket socket, int bytes) =>
        socket.SetRawSocketOption(SolSocket, SoRcvBufForce, BitConverter.GetBytes(bytes));

    /// <summary>Waits until so many have arrived, or nothing arrives any more.</summary>
    public void Finish(long sent)
    {
        Volatile.Write(ref _expected, sent);
        _thread.Join();
    }

    public void Dispose()
    {
        _stop = true;
        _thread.Join();
        Array.ForEach(_sockets, socket => socket.Dispose());
    }

    private void Loop()
    {
        byte[] buffer = new byte[ushort.MaxValue];
        while (!_stop && _received < Volatile.Read(ref _expected))
        {
            bool finishing = Volatile.Read(ref _expected) != long.MaxValue;
            var readable = new List<Socket>(_sockets);
            Socket.Select(readable, null, null, _idle);
            readable.ForEach(socket => Empty(socket, buffer));
            if (readable.Count == 0 && finishing)
            {
                return;
            }
        }
    }

    private void Empty(Socket socket, byte[] buffer)
    {
        while (true)
        {
            int length = socket.Receive(buffer, SocketFlags.None, out SocketError error);
            if (error != SocketError.Success)
            {
                return;
            }

            uint number = length >= Traffic.NumberBytes ? BinaryPrimitives.ReadUInt32BigEndian(buffer) : uint.MaxValue;
            if (number >= _seen.Length)
            {
                continue;
            }

            if (_seen[(int)number])
            {
                _duplicates++;
            }
            else
            {
                _seen[(int)number] = true;
                Volatile.Write(ref _received, _received + 1);
            }
        }
    }
}
