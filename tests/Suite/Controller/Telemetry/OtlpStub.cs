using System.Collections.Concurrent;
using System.Net;
using Google.Protobuf;

namespace NftCluster.Tests.Controller.Telemetry;

/// <summary>A span as the collector read it; ids in hex, times in ns since 1970.</summary>
internal sealed record StubSpan(string TraceId, string SpanId, string ParentId, string Name, ulong StartNs, ulong EndNs, IReadOnlyList<string> Events);

/// <summary>An OTLP collector that understands as much as the tests ask: opentelemetry/proto/collector/trace/v1, by field numbers.</summary>
internal sealed class OtlpStub : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly ConcurrentQueue<StubSpan> _spans = new();

    private OtlpStub(int port)
    {
        Endpoint = new Uri($"http://127.0.0.1:{port}/");
        _listener.Prefixes.Add(Endpoint.ToString());
        _listener.Start();
        _ = ServeAsync();
    }

    public Uri Endpoint { get; }

    public IReadOnlyCollection<StubSpan> Spans => _spans;

    public static OtlpStub Start() => StartAt(FreePort());

    public static OtlpStub StartAt(int port) => new(port);

    public static int FreePort()
    {
        using System.Net.Sockets.TcpListener probe = new(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    public void Dispose() => _listener.Close();

    private async Task ServeAsync()
    {
        while (_listener.IsListening)
        {
            try
            {
                HttpListenerContext context = await _listener.GetContextAsync();
                using MemoryStream body = new();
                await context.Request.InputStream.CopyToAsync(body);
                foreach (ByteString resource in Fields(ByteString.CopyFrom(body.ToArray()), 1))
                {
                    foreach (ByteString span in Fields(resource, 2).SelectMany(scope => Fields(scope, 2)))
                    {
                        _spans.Enqueue(Read(span));
                    }
                }
                context.Response.StatusCode = context.Request.Url!.AbsolutePath == "/v1/traces" ? 200 : 404;
                context.Response.Close();
            }
            catch (Exception ended) when (ended is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private static StubSpan Read(ByteString span)
    {
        CodedInputStream input = span.CreateCodedInput();
        (string trace, string id, string parent, string name, ulong start, ulong end, List<string> events) = ("", "", "", "", 0, 0, []);
        while (input.ReadTag() is var tag && tag != 0)
        {
            switch (WireFormat.GetTagFieldNumber(tag))
            {
                case 1: trace = Convert.ToHexStringLower(input.ReadBytes().Span); break;
                case 2: id = Convert.ToHexStringLower(input.ReadBytes().Span); break;
                case 4: parent = Convert.ToHexStringLower(input.ReadBytes().Span); break;
                case 5: name = input.ReadString(); break;
                case 7: start = input.ReadFixed64(); break;
                case 8: end = input.ReadFixed64(); break;
                case 11: events.Add(Fields(input.ReadBytes(), 2).Single().ToStringUtf8()); break;
                default: input.SkipLastField(); break;
            }
        }
        return new StubSpan(trace, id, parent, name, start, end, events);
    }

    private static List<ByteString> Fields(ByteString message, int number)
    {
        List<ByteString> found = [];
        CodedInputStream input = message.CreateCodedInput();
        while (input.ReadTag() is var tag && tag != 0)
        {
            if (WireFormat.GetTagFieldNumber(tag) == number && WireFormat.GetTagWireType(tag) == WireFormat.WireType.LengthDelimited)
            {
                found.Add(input.ReadBytes());
            }
            else
            {
                input.SkipLastField();
            }
        }
        return found;
    }
}
