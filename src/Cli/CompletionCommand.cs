using System.CommandLine;

namespace NftCluster.Cli;

/// <summary><c>nftcluster completion bash|zsh</c>: a script that asks the program itself (System.CommandLine's [suggest] directive).</summary>
internal static class CompletionCommand
{
    private const string Bash = """
        # eval "$(nftcluster completion bash)"
        _nftcluster() {
          local IFS=$'\n'
          COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -o default -F _nftcluster nftcluster ./nftcluster
        """;

    private const string Zsh = """
        # eval "$(nftcluster completion zsh)"
        _nftcluster() {
          local -a found
          found=("${(@f)$("${words[1]}" "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}")
          compadd -a found
        }
        compdef _nftcluster nftcluster ./nftcluster
        """;

    public static Command Create()
    {
        Argument<string> shell = new("shell") { Description = "bash or zsh." };
        shell.AcceptOnlyFromAmong("bash", "zsh");
        Command command = new("completion", "Print a completion script: eval \"$(nftcluster completion bash)\"") { shell };
        command.SetAction(parsed => parsed.InvocationConfiguration.Output.WriteLine(parsed.GetValue(shell) == "zsh" ? Zsh : Bash));
        return command;
    }
}
