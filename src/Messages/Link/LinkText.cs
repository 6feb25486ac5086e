using System.Globalization;
using System.Net;
using Google.Protobuf;

namespace NftCluster.Messages.Link;

/// <summary>Texts of the public record that the link carries as numbers: only their one form is taken.</summary>
internal static class LinkText
{
    public static string Hex(ulong address) => string.Create(CultureInfo.InvariantCulture, $"0x{address:x}");

    public static ulong Hex(string text) =>
        text.StartsWith("0x", StringComparison.Ordinal) && ulong.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong address) && Hex(address) == text
            ? address
            : throw new InvalidDataException($"'{text}' is no address as nodes write them");

    public static long Time(string text) =>
        TraceTime.TryParse(text, out long unixNs) ? unixNs : throw new InvalidDataException($"'{text}' is no time as nodes write them");

    /// <summary>Empty = null.</summary>
    public static ByteString Address(string? text)
    {
        if (text is null)
        {
            return ByteString.Empty;
        }
        return IPAddress.TryParse(text, out IPAddress? address) && address.ToString() == text
            ? ByteString.CopyFrom(address.GetAddressBytes())
            : throw new InvalidDataException($"'{text}' is no IP address as nodes write them");
    }

    public static string? Address(ByteString bytes) => bytes.Length switch
    {
        0 => null,
        4 or 16 => new IPAddress(bytes.Span).ToString(),
        _ => throw new InvalidDataException($"an IP address of {bytes.Length} bytes"),
    };
}
