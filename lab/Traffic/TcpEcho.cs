using System.Net.Sockets;

namespace NftCluster.Lab;

/// <summary>Accepts connections one at a time and sends back what each sends, until its end of stream.</summary>
internal sealed class TcpEcho : IDisposable
{
    private const int PollMicroseconds = 50_000;

    private readonly Socket _listener;
    private readonly int _patienceMs;
    private readonly Thread _thread;
    private volatile bool _stop;

    public TcpEcho(Socket listener, int patienceMs)
    {
        _listener = listener;
        _patienceMs = patienceMs;
        _thread = new Thread(Loop) { IsBackground = true, Name = "lab tcp echo" };
        _thread.Start();
    }

    public void Dispose()
    {
        _stop = true;
        _thread.Join();
        _listener.Dispose();
    }

    private void Loop()
    {
        byte[] buffer = new byte[Traffic.MaxSize];
        while (!_stop)
        {
            if (!_listener.Poll(PollMicroseconds, SelectMode.SelectRead))
            {
                continue;
            }

            try
            {
                using Socket connection = _listener.Accept();
                Echo(connection, buffer);
            }
            catch (SocketException)
            {
                // The client gave up; it counts that itself.
            }
        }
    }

    private void Echo(Socket connection, byte[] buffer)
    {
        connection.NoDelay = true;
        connection.ReceiveTimeout = _patienceMs;
        connection.SendTimeout = _patienceMs;
        int length;
        while ((length = connection.Receive(buffer)) > 0)
        {
            connection.Send(buffer.AsSpan(0, length));
        }

        connection.Shutdown(SocketShutdown.Send);
    }
}
