using NftCluster.Controller.Cluster;

namespace NftCluster.Controller.Hosting;

/// <summary>Where everything lies that a controller must not lose: its own (0700), and one controller's only.</summary>
internal static class StateDirectory
{
    private const UnixFileMode Mine = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    public static void Prepare(string directory)
    {
        try
        {
            Directory.CreateDirectory(directory, Mine);
            // Made by somebody else with more rights for others: the keys in it are ours alone.
            File.SetUnixFileMode(directory, Mine);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new ClusterException($"cannot use {directory} as the state directory: {failure.Message}; choose another with --state-dir", failure);
        }
    }

    /// <summary>Held until it is disposed, or the process ends, however it ends.</summary>
    public static FileStream Claim(string directory)
    {
        try
        {
            return new FileStream(Path.Combine(directory, "controller.lock"), new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
        }
        catch (IOException failure)
        {
            throw new ClusterException($"another controller runs on {directory}: stop it first, or choose another --state-dir", failure);
        }
    }

    /// <summary>How this host is called, for the certificate that is made.</summary>
    public static IEnumerable<string> HostNames() => ["localhost", "127.0.0.1", "::1", Environment.MachineName];
}
