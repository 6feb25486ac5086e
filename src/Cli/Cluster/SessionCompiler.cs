using NftCluster.Controller.Sessions;
using NftCluster.Node.Kernel.Filter;
using NftCluster.Node.Sessions;

namespace NftCluster.Cli.Cluster;

/// <summary>Filters are compiled before a session exists, by the same code that compiles them on the nodes.</summary>
internal static class SessionCompiler
{
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
