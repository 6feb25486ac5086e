using System.Globalization;
using System.IO.Hashing;
using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using NftCluster.Messages;

namespace NftCluster.Controller.Storage;

/// <summary>
/// A field's value as 64 bits: what summaries hold and searches compare. Two values of a million share one with a chance of
/// 3·10⁻⁸ (n²/2⁶⁵).
/// </summary>
internal static class Term
{
    public static ulong Of(TraceField field, ReadOnlySpan<byte> value) => XxHash3.HashToUInt64(value, Seed(field));

    public static ulong Of(TraceField field, ulong value) => XxHash3.HashToUInt64(MemoryMarshal.AsBytes(new ReadOnlySpan<ulong>(in value)), Seed(field));

    public static ulong Of(TraceField field, bool value) => Of(field, value ? 1UL : 0);

    /// <summary>A value as a user writes it. Null, with a line that says what would be right, where it is none of this field.</summary>
    public static ulong? Parse(TraceField field, string text, out string? error)
    {
        error = null;
        if (TraceFields.IsAddress(field))
        {
            if (IPAddress.TryParse(text, out IPAddress? address))
            {
                return Of(field, address.GetAddressBytes());
            }
            error = $"'{text}' is no IP address";
            return null;
        }
        if (TraceFields.IsNumber(field))
        {
            if (TryNumber(text, out ulong number))
            {
                return Of(field, number);
            }
            error = $"'{text}' is no number: give decimal digits, or 0x and hexadecimal ones";
            return null;
        }
        if (field == TraceField.Complete)
        {
            if (bool.TryParse(text, out bool value))
            {
                return Of(field, value);
            }
            error = $"'{text}' is neither true nor false";
            return null;
        }
        return Of(field, Encoding.UTF8.GetBytes(field == TraceField.Protocol ? ProtocolNames.Read(text) : text));
    }

    private static bool TryNumber(string text, out ulong number) =>
        text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            ? ulong.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out number)
            : ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private static long Seed(TraceField field) => (long)field + 1;
}
