using System.Globalization;
using System.Net;
using NftCluster.Messages;
using NftCluster.Node.Pipeline;

namespace NftCluster.Node.Export;

/// <summary>A conntrack tuple in its public shape.</summary>
internal static class ConntrackTupleFactory
{
    public static ConntrackTupleRecord Make(ConntrackTuple tuple)
    {
        bool isIcmp = tuple.Protocol is 1 or 58;
        bool hasPorts = tuple.Protocol is 6 or 17 or 33 or 132 or 136;
        return new ConntrackTupleRecord
        {
            Protocol = Name(tuple.Protocol),
            SrcIp = new IPAddress(tuple.Source).ToString(),
            DstIp = new IPAddress(tuple.Destination).ToString(),
            SrcPort = hasPorts ? tuple.SourcePort : null,
            DstPort = hasPorts ? tuple.DestinationPort : null,
            IcmpType = isIcmp ? tuple.DestinationPort >> 8 : null,
            IcmpCode = isIcmp ? tuple.DestinationPort & 0xff : null,
            IcmpId = isIcmp ? tuple.SourcePort : null,
        };
    }

    private static string Name(byte protocol) => protocol switch
    {
        6 => "TCP",
        17 => "UDP",
        1 => "ICMP",
        58 => "ICMPv6",
        132 => "SCTP",
        _ => string.Create(CultureInfo.InvariantCulture, $"ip-{protocol}"),
    };
}
