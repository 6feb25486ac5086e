using System.Runtime.CompilerServices;

namespace NftCluster.Node.Kernel.Symbols;

/// <summary>Parses /proc/kallsyms by hand ("ffffffff81000000 T _stext" or "… t name\t[module]"), since it counts in the start-up time.</summary>
internal sealed class KallsymsReader
{
    private const int ChunkBytes = 1 << 18;

    private ulong[] _addresses = new ulong[1 << 16];
    private int[] _nameStarts = new int[1 << 16];
    private byte[] _names = new byte[1 << 21];
    private int _count;
    private int _nameBytes;
    private bool _anyAddress;

    private KallsymsReader()
    {
    }

    public static KernelSymbols Read(string path)
    {
        var reader = new KallsymsReader();
        // The kernel hands out a page per read and reports no length: plain reads until the end.
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        byte[] chunk = new byte[ChunkBytes];
        int filled = 0;
        while (true)
        {
            int got = file.Read(chunk, filled, chunk.Length - filled);
            filled += got;
            if (got != 0 && filled < chunk.Length / 2)
            {
                continue;
            }

            int parsed = reader.ParseLines(chunk.AsSpan(0, filled));
            if (got == 0)
            {
                reader.ParseLine(chunk.AsSpan(parsed, filled - parsed)); // a last line without its newline
                return reader.Finish();
            }

            chunk.AsSpan(parsed, filled - parsed).CopyTo(chunk);
            filled -= parsed;
            if (filled == chunk.Length)
            {
                throw new InvalidDataException($"{path}: a line is longer than {ChunkBytes} bytes, so this is not a symbol list");
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int ParseLines(ReadOnlySpan<byte> text)
    {
        int at = 0;
        while (true)
        {
            int end = text[at..].IndexOf((byte)'\n');
            if (end < 0)
            {
                return at;
            }

            ParseLine(text.Slice(at, end));
            at += end + 1;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void ParseLine(ReadOnlySpan<byte> line)
    {
        ulong address = 0;
        int i = 0;
        for (; i < line.Length && line[i] != ' '; i++)
        {
            byte c = line[i];
            int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
            if ((uint)digit > 15)
            {
                return;
            }

            address = (address << 4) | (uint)digit;
        }

        // ' ' type ' ' name: anything shorter is no symbol.
        if (i + 3 >= line.Length)
        {
            return;
        }

        int kind = line[i + 1] | 0x20;
        if (kind is not ('t' or 'w'))
        {
            return;
        }

        _anyAddress |= address != 0;
        Add(address, line[(i + 3)..]);
    }

    private void Add(ulong address, ReadOnlySpan<byte> name)
    {
        if (_count == _addresses.Length)
        {
            Array.Resize(ref _addresses, _count * 2);
            Array.Resize(ref _nameStarts, _count * 2);
        }

        if (_nameBytes + name.Length + 1 > _names.Length)
        {
            Array.Resize(ref _names, Math.Max(_names.Length * 2, _nameBytes + name.Length + 1));
        }

        _addresses[_count] = address;
        _nameStarts[_count++] = _nameBytes;
        Span<byte> target = _names.AsSpan(_nameBytes, name.Length);
        name.CopyTo(target);
        target.Replace((byte)'\t', (byte)' '); // before a module's name
        _nameBytes += name.Length + 1; // the zero byte is there already
    }

    private KernelSymbols Finish()
    {
        Array.Resize(ref _addresses, _count);
        Array.Resize(ref _nameStarts, _count);
        SortTail();
        return new KernelSymbols(_addresses, _nameStarts, _names, addressesHidden: _count > 0 && !_anyAddress);
    }

    /// <summary>The kernel's own symbols come sorted; only what modules and BPF add after them has to be sorted.</summary>
    private void SortTail()
    {
        int sorted = 1;
        while (sorted < _count && _addresses[sorted - 1] <= _addresses[sorted])
        {
            sorted++;
        }

        if (sorted >= _count)
        {
            return;
        }

        ulong lowest = _addresses.AsSpan(sorted).ToArray().Min();
        // Everything below the tail's lowest address can stay.
        int start = _addresses.AsSpan(0, sorted).BinarySearch(lowest);
        start = start < 0 ? ~start : start;
        while (start > 0 && _addresses[start - 1] == lowest)
        {
            start--;
        }

        // Sort by address, then by position in the file (name starts ascend), so that the first alias stays first.
        var order = new (ulong Address, int NameStart)[_count - start];
        for (int i = 0; i < order.Length; i++)
        {
            order[i] = (_addresses[start + i], _nameStarts[start + i]);
        }

        Array.Sort(order);
        for (int i = 0; i < order.Length; i++)
        {
            (_addresses[start + i], _nameStarts[start + i]) = order[i];
        }
    }
}
