using System.Buffers.Binary;
using NftCluster.Controller.Sessions;
using NftCluster.Messages;
using NftCluster.Messages.Pcapng;
using NftCluster.Node.Kernel.Filter;
using NftCluster.Node.Sessions;

namespace NftCluster.Cli.Cluster;

/// <summary>Filters are compiled before a session exists, by the same code that compiles them on the nodes.</summary>
internal static class SessionCompiler
{
    private const int EthernetBytes = 14;

    public static SessionCheck Check { get; } = new(Complaint, Passes);

    /// <summary>What the filter says of a header, as far as traces keep it; null where it cannot be compiled (any more).</summary>
    public static Predicate<PacketSide>? Passes(string expression)
    {
        try
        {
            FilterNode[] nodes = FilterTranslator.Translate(FilterCompiler.Compile(expression));
            return side =>
            {
                byte[] frame = new byte[EthernetBytes + PacketBytes.Most];
                int length = PacketBytes.Write(side, frame.AsSpan(EthernetBytes));
                BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), side.SrcIp?.Contains(':', StringComparison.Ordinal) == true ? (ushort)0x86dd : (ushort)0x0800);
                return FilterEvaluator.Matches(nodes, frame.AsSpan(0, EthernetBytes + length), (uint)(EthernetBytes + Math.Max(length, side.Length)));
            };
        }
        catch (FilterException)
        {
            return null;
        }
    }

    public static CommandError? Complaint(SessionRequest request)
    {
        try
        {
            _ = SessionWants.Of(new SessionSpec { Id = "check", Mode = request.Mode, Filter = request.Filter, Device = request.Device, Mark = request.Mark, Quality = request.Quality });
            return null;
        }
        catch (FilterException wrong)
        {
            return new CommandError(CommandError.Invalid, "filter", wrong.Message);
        }
    }
}
