using System.Globalization;
using System.Net;
using NftCluster.Messages;

namespace NftCluster.Tests.Messages.Link;

/// <summary>Traces as wild as the record allows, the same for the same seed.</summary>
internal sealed class RandomTraces(int seed)
{
    private static readonly string[] _texts = ["", "ip_rcv", "eth0", "forward", "häß 'x' \"y\"\n", "reason=NO_SOCKET at=__udp4_lib_rcv+0x5a", new('x', 300), "日本"];

    private readonly Random _random = new(seed);

    public IReadOnlyList<TraceRecord> Batch()
    {
        var traces = new TraceRecord[_random.Next(0, 12)];
        for (int i = 0; i < traces.Length; i++)
        {
            traces[i] = Trace();
        }
        return traces;
    }

    public TraceRecord Trace()
    {
        long first = _random.NextInt64(0, 9_000_000_000_000_000_000);
        long duration = _random.NextInt64(0, 20_000_000_000);
        string? address = Maybe(() => Address());
        (string protocol, string? source, string? destination, int? from, int? to) = Tuple();
        List<EventRecord> events = [];
        for (int count = _random.Next(0, 15); count > 0; count--)
        {
            events.Add(Event(first, address));
        }
        string[] called = [.. events.Select(e => e.FuncName).Distinct(StringComparer.Ordinal)];
        return new TraceRecord
        {
            Key = Text(),
            SkbAddr = address,
            ProtocolName = protocol,
            SrcIp = source,
            DstIp = destination,
            SrcPort = from,
            DstPort = to,
            FirstSeen = TraceTime.Format(first),
            LastSeen = TraceTime.Format(first + duration),
            DurationNs = duration,
            Direction = Text(),
            FinalVerdict = Text(),
            DropReason = Maybe(Text),
            DropFunction = Maybe(Text),
            FunctionsCalled = _random.Next(6) == 0 ? [Text(), Text()] : called,
            Complete = _random.Next(2) == 0,
            IncompleteReason = Maybe(Text),
            In = Maybe(Side),
            Out = Maybe(Side),
            Netns = (uint)_random.NextInt64(uint.MaxValue),
            Events = events,
            NftEvents = [.. Enumerable.Range(0, _random.Next(0, 5)).Select(_ => Verdict(first))],
        };
    }

    private string Bytes()
    {
        byte[] bytes = new byte[_random.Next(1, 33)];
        _random.NextBytes(bytes);
        return Convert.ToHexStringLower(bytes);
    }

    private EventRecord Event(long first, string? address)
    {
        long offset = _random.NextInt64(first < 1_000_000 ? 0 : -1_000, 5_000_000_000);
        (string protocol, string? source, string? destination, int? from, int? to) = Tuple();
        return new EventRecord
        {
            Timestamp = TraceTime.Format(first + offset),
            OffsetNs = offset,
            SkbAddr = address is not null && _random.Next(4) > 0 ? address : Address(),
            FuncName = Text(),
            Layer = Text(),
            Direction = Text(),
            Step = Text(),
            Protocol = protocol,
            SrcIp = source,
            DstIp = destination,
            SrcPort = from,
            DstPort = to,
            Length = _random.NextInt64(0, long.MaxValue),
            Device = Maybe(Text),
            Ifindex = _random.Next(),
            Cpu = _random.Next(0, 4_096),
            Comm = Maybe(Text),
            Pid = Number(int.MaxValue),
            Ttl = Number(256),
            Mark = _random.Next(2) == 0 ? null : (uint)_random.NextInt64(uint.MaxValue),
            Detail = Maybe(Text),
        };
    }

    private NftEventRecord Verdict(long first)
    {
        long offset = _random.NextInt64(0, 5_000_000_000);
        return new NftEventRecord
        {
            Timestamp = TraceTime.Format(first + offset),
            OffsetNs = offset,
            SkbAddr = Maybe(Address),
            ChainAddr = Maybe(Address),
            ExprAddr = Maybe(Address),
            Verdict = Text(),
            Hook = Maybe(Text),
            RuleHandle = _random.Next(2) == 0 ? null : _random.NextInt64(),
            TraceType = Text(),
            Family = Maybe(Text),
            Table = Maybe(Text),
            Chain = Maybe(Text),
            ChainType = Maybe(Text),
            Priority = _random.Next(2) == 0 ? null : _random.Next(-400, 400),
            RuleText = Maybe(Text),
            RulesetGeneration = _random.Next(2) == 0 ? null : (uint)_random.Next(),
            TextUnknown = Maybe(Text),
            JumpTarget = Maybe(Text),
            InDevice = Maybe(Text),
            OutDevice = Maybe(Text),
            Mark = _random.Next(2) == 0 ? null : (uint)_random.NextInt64(uint.MaxValue),
            CtId = _random.Next(2) == 0 ? null : _random.NextInt64(uint.MaxValue),
            CtState = Maybe(Text),
            CtStatus = _random.Next(2) == 0 ? null : (uint)_random.Next(),
            CtOriginal = Maybe(Connection),
            CtReply = Maybe(Connection),
            ChainNs = _random.Next(2) == 0 ? null : _random.NextInt64(),
        };
    }

    private ConntrackTupleRecord Connection() => new()
    {
        Protocol = Text(),
        SrcIp = Ip(),
        DstIp = Ip(),
        SrcPort = Number(65_536),
        DstPort = Number(65_536),
        IcmpType = Number(256),
        IcmpCode = Number(256),
        IcmpId = Number(65_536),
    };

    private PacketSide Side()
    {
        (string protocol, string? source, string? destination, int? from, int? to) = Tuple();
        return new PacketSide
        {
            Device = Maybe(Text),
            Ifindex = _random.Next(),
            Protocol = protocol,
            SrcIp = source,
            DstIp = destination,
            SrcPort = from,
            DstPort = to,
            Ttl = Number(256),
            IpId = Number(65_536),
            Length = _random.NextInt64(0, long.MaxValue),
            VlanId = Number(4_096),
            TcpSeq = _random.Next(2) == 0 ? null : (uint)_random.NextInt64(uint.MaxValue),
            TcpAck = _random.Next(2) == 0 ? null : (uint)_random.NextInt64(uint.MaxValue),
            TcpFlags = Maybe(Text),
            PayloadLength = Number(65_536),
            IcmpType = Number(256),
            IcmpCode = Number(256),
            IcmpId = Number(65_536),
            IcmpSeq = Number(65_536),
            Segments = Number(64),
            FragmentOffset = Number(65_536),
            WireDigest = Maybe(Address),
            ContentDigest = Maybe(Address),
            Payload = Maybe(Bytes),
        };
    }

    private (string Protocol, string? Source, string? Destination, int? From, int? To) Tuple() =>
        (Text(), Maybe(Ip), Maybe(Ip), Number(65_536), Number(65_536));

    private string Ip()
    {
        byte[] bytes = new byte[_random.Next(2) == 0 ? 4 : 16];
        _random.NextBytes(bytes);
        return new IPAddress(bytes).ToString();
    }

    private string Address() => string.Create(CultureInfo.InvariantCulture, $"0x{(ulong)_random.NextInt64() << _random.Next(2):x}");

    private string Text() => _texts[_random.Next(_texts.Length)];

    private int? Number(int below) => _random.Next(2) == 0 ? null : _random.Next(below);

    private T? Maybe<T>(Func<T> make)
        where T : class => _random.Next(3) == 0 ? null : make();
}
