using System.Net;
using NftCluster.Messages;

namespace NftCluster.Cli.Views;

/// <summary>An address or a prefix (10.3.0.0/16) that any side of a trace may have: before and after NAT.</summary>
internal sealed class AddressMatch
{
    private readonly IPNetwork _network;
    private string? _lastText;
    private bool _lastAnswer;

    private AddressMatch(IPNetwork network) => _network = network;

    public static bool TryParse(string text, out AddressMatch? match)
    {
        match = null;
        if (IPAddress.TryParse(text, out IPAddress? address))
        {
            match = new AddressMatch(new IPNetwork(address, address.GetAddressBytes().Length * 8));
        }
        else if (text.Split('/') is [string prefix, string bits] && IPAddress.TryParse(prefix, out address)
            && int.TryParse(bits, out int length) && length >= 0 && length <= address.GetAddressBytes().Length * 8)
        {
            match = new AddressMatch(new IPNetwork(Masked(address, length), length));
        }

        return match is not null;
    }

    public bool Matches(TraceRecord trace) =>
        Contains(trace.SrcIp) || Contains(trace.DstIp)
        || Contains(trace.In?.SrcIp) || Contains(trace.In?.DstIp)
        || Contains(trace.Out?.SrcIp) || Contains(trace.Out?.DstIp);

    /// <summary>The same text comes again and again: the last answer saves most parsing.</summary>
    private bool Contains(string? text)
    {
        if (text is null)
        {
            return false;
        }

        if (!string.Equals(text, _lastText, StringComparison.Ordinal))
        {
            _lastText = text;
            _lastAnswer = IPAddress.TryParse(text, out IPAddress? address) && _network.Contains(address);
        }

        return _lastAnswer;
    }

    /// <summary>10.3.0.2/16 is what people type: the host bits are cleared, not refused.</summary>
    private static IPAddress Masked(IPAddress address, int length)
    {
        byte[] bytes = address.GetAddressBytes();
        for (int bit = length; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        }

        return new IPAddress(bytes);
    }
}
