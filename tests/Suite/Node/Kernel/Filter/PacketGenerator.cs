using System.Buffers.Binary;

namespace NftCluster.Tests.Node.Kernel.Filter;

/// <summary>Makes packets that filters are likely to tell apart, from a seed: few addresses and ports, all kinds of headers, damage.</summary>
internal sealed class PacketGenerator(int seed)
{
    private static readonly uint[] _addresses = [0x0a030002, 0x0a030003, 0x0a000001, 0xc0a80101, 0xac100001, 0xe0000001, 0xffffffff];
    private static readonly ushort[] _ports = [22, 53, 55, 79, 80, 443, 1000, 1999, 2001, 50000];
    private static readonly byte[] _protocols = [6, 6, 6, 17, 17, 17, 1, 1, 58, 2, 47, 50, 89, 103, 112, 132, 0, 44];

    private readonly Random _random = new(seed);
    private readonly byte[] _frame = new byte[512];
    private int _length;

    /// <summary>The bytes are valid until the next call. The frame may be longer than its bytes, as in a sample.</summary>
    public ReadOnlySpan<byte> Next(out uint frameLength)
    {
        _length = 0;
        _random.NextBytes(_frame);
        if (_random.Next(20) == 0)
        {
            _length = _random.Next(0, 200); // noise
        }
        else
        {
            Ethernet();
        }

        if (_random.Next(10) == 0 && _length > 0)
        {
            _frame[_random.Next(_length)] = (byte)_random.Next(256);
        }

        frameLength = (uint)_length + (_random.Next(4) == 0 ? (uint)_random.Next(2000) : 0);
        int valid = _random.Next(4) == 0 ? _random.Next(0, _length + 1) : _length;
        return _frame.AsSpan(0, Math.Min(valid, 128));
    }

    private void Ethernet()
    {
        Mac();
        Mac();
        int tags = _random.Next(6) switch { 0 => 1, 1 => _random.Next(1, 3), _ => 0 };
        for (int i = 0; i < tags; i++)
        {
            Put16(Pick<ushort>([0x8100, 0x88a8, 0x9100]));
            Put16((ushort)Pick([100, 200, 0x2064, _random.Next(65536)]));
        }

        switch (_random.Next(10))
        {
            case < 5:
                Put16(0x0800);
                Ip4();
                break;
            case < 8:
                Put16(0x86dd);
                Ip6();
                break;
            case 8:
                Put16(Pick<ushort>([0x0806, 0x8035]));
                Arp();
                break;
            default:
                Put16(Pick<ushort>([0x88cc, 0x8847, 0x8864, 60, 1500, (ushort)_random.Next(65536)]));
                _length += _random.Next(100);
                break;
        }
    }

    private void Mac()
    {
        byte[] mac = Pick<byte[]>([[2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2], [255, 255, 255, 255, 255, 255], [1, 0, 0x5e, 0, 0, 1]]);
        mac.CopyTo(_frame.AsSpan(_length));
        _length += mac.Length;
    }

    private void Ip4()
    {
        int start = _length;
        int words = _random.Next(4) == 0 ? _random.Next(5, 16) : 5;
        byte protocol = Pick(_protocols);
        Put8((byte)(0x40 | words));
        Put8(0);
        Put16((ushort)_random.Next(20, 1500));
        Put16((ushort)_random.Next(65536));
        Put16(_random.Next(5) == 0 ? (ushort)_random.Next(65536) : (ushort)0x4000);
        Put8((byte)Pick([64, 63, 1, 4, 31, 32, 0, _random.Next(256)]));
        Put8(protocol);
        Put16(0);
        Put32(Pick(_addresses));
        Put32(Pick(_addresses));
        _length = start + (4 * words);
        Transport(protocol);
    }

    private void Ip6()
    {
        byte protocol = Pick(_protocols);
        Put32(0x60000000);
        Put16((ushort)_random.Next(1500));
        Put8(protocol);
        Put8(64);
        for (int i = 0; i < 2; i++)
        {
            Put32(Pick<uint>([0xfd000000, 0xfd000001, 0xff020000, 0xfe800000]));
            Put32(Pick<uint>([0, 0x80000000]));
            Put32(0);
            Put32((uint)_random.Next(4));
        }

        Transport(protocol);
    }

    private void Arp()
    {
        Put16(1);
        Put16(0x0800);
        Put16(0x0604);
        Put16((ushort)_random.Next(1, 3));
        Mac();
        Put32(Pick(_addresses));
        Mac();
        Put32(Pick(_addresses));
    }

    private void Transport(byte protocol)
    {
        switch (protocol)
        {
            case 6:
                Ports();
                Put32((uint)_random.Next());
                Put32((uint)_random.Next());
                Put8((byte)(_random.Next(5, 9) << 4));
                Put8((byte)Pick([2, 18, 16, 17, 4, 20, _random.Next(256)]));
                _length += 6;
                break;
            case 17:
                Ports();
                Put16((ushort)Pick([8, 12, 20, _random.Next(65536)]));
                Put16(0);
                Put32(Pick<uint>([0x01020304, 0]));
                break;
            case 1 or 58:
                Put8((byte)Pick([0, 3, 8, 11, 128, 135, 136]));
                Put8((byte)_random.Next(5));
                _length += 6;
                break;
        }

        _length += _random.Next(3) == 0 ? _random.Next(100) : 0;
    }

    private void Ports()
    {
        Put16(Pick(_ports));
        Put16(Pick(_ports));
    }

    private T Pick<T>(T[] values) => values[_random.Next(values.Length)];

    private void Put8(byte value) => _frame[_length++] = value;

    private void Put16(ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_frame.AsSpan(_length), value);
        _length += 2;
    }

    private void Put32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_frame.AsSpan(_length), value);
        _length += 4;
    }
}
