using System.Diagnostics;

namespace NftCluster.Node.Nftables.Changes;

/// <summary>
/// The process that takes a change back unless it is confirmed, as the one who changes sees it: ready before the change is made,
/// and on its own from then on. It outlives this process, its terminal and its session.
/// </summary>
internal sealed class GuardProcess(ChangeStore store, uint netnsInode, int seconds)
{
    /// <summary>The command line of <c>nftcluster rules</c> for a guard.</summary>
    public const string Command = "guard";

    public int Seconds => seconds;

    /// <summary>Returns when the guard watches over the change; throws when it cannot. The calling thread's namespace is the guard's.</summary>
    public void Begin(string changeId)
    {
        using Process guard = Start(changeId);
        guard.StandardInput.Close();
        // Its end is an answer, too. Until then nothing was changed.
        if (guard.StandardOutput.ReadLine() != ChangeGuard.Ready(netnsInode))
        {
            guard.Kill();
            string why = guard.StandardError.ReadToEnd().Split('\n')[0];
            GiveUp();
            throw new RuleChangeException($"the guard that would undo it could not start, nothing was changed{(why.Length > 0 ? $": {why}" : "")}");
        }
    }

    /// <summary>The change was not made: the guard goes as soon as it sees that.</summary>
    public void GiveUp() => store.ClearPending(netnsInode);

    private Process Start(string changeId)
    {
        string program = Environment.ProcessPath ?? throw new RuleChangeException("the guard cannot start: /proc is missing");
        // Under `dotnet nftcluster.dll` the program is the first argument.
        string[] host = Path.GetFileNameWithoutExtension(program) == "dotnet" ? [Environment.GetCommandLineArgs()[0]] : [];
        ProcessStartInfo start = new(program, [.. host, "rules", Command, "--state", store.Directory, "--id", changeId, "--seconds", $"{seconds}"])
        {
            UseShellExecute = false,
            WorkingDirectory = "/",
            // None of the caller's: who reads the caller's output must not wait for the guard.
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return Process.Start(start) ?? throw new RuleChangeException("the guard cannot start");
    }
}
