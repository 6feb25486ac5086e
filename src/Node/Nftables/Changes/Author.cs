using System.Globalization;
using NftCluster.Node.Kernel.Native;

namespace NftCluster.Node.Nftables.Changes;

/// <summary>Who makes a change, as far as the system knows: the user, the one who logged in, and from where.</summary>
internal sealed record Author(uint Uid, uint? LoginUid, string? SudoUser, string? Tty, string? Ssh, int Pid)
{
    /// <summary>The user of the controller through which it came; null = it was made on this host.</summary>
    public string? ControllerUser { get; init; }

    private const uint NoLogin = uint.MaxValue;

    public static Author Current()
    {
        uint? login = uint.TryParse(TryRead("/proc/self/loginuid"), out uint uid) && uid != NoLogin ? uid : null;
        return new Author(Libc.geteuid(), login, Variable("SUDO_USER"), Terminal(), Variable("SSH_CONNECTION") ?? SshOfAncestors(), Environment.ProcessId);
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    private static string? Terminal()
    {
        for (int descriptor = 0; descriptor <= 2; descriptor++)
        {
            try
            {
                if (new FileInfo($"/proc/self/fd/{descriptor}").LinkTarget is { } target && (target.StartsWith("/dev/pts/", StringComparison.Ordinal) || target.StartsWith("/dev/tty", StringComparison.Ordinal)))
                {
                    return target;
                }
            }
            catch (IOException)
            {
                // Closed: the next one may be open.
            }
        }
        return null;
    }

    /// <summary>sudo takes the variable away; the login shell above still has it.</summary>
    private static string? SshOfAncestors()
    {
        const int MostAncestors = 16;
        const string Name = "SSH_CONNECTION=";
        int pid = Environment.ProcessId;
        for (int i = 0; i < MostAncestors && pid > 1; i++)
        {
            string? found = TryRead($"/proc/{pid}/environ")?.Split('\0').FirstOrDefault(variable => variable.StartsWith(Name, StringComparison.Ordinal));
            if (found is not null)
            {
                return found[Name.Length..];
            }
            pid = ParentOf(pid);
        }
        return null;
    }

    private static int ParentOf(int pid)
    {
        // The name stands in brackets and may hold anything: the fields begin behind the last one.
        string? status = TryRead($"/proc/{pid}/stat");
        string[] fields = status is null ? [] : status[(status.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length > 1 && int.TryParse(fields[1], NumberStyles.None, CultureInfo.InvariantCulture, out int parent) ? parent : 0;
    }

    private static string? TryRead(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
