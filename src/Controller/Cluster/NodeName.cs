using NftCluster.Controller.Sessions;

namespace NftCluster.Controller.Cluster;

/// <summary>Names and labels go into file names, URLs and terminals: a small alphabet keeps all of them safe.</summary>
internal static class NodeName
{
    private const int MostCharacters = 63;
    private const int MostLabels = 32;

    public static CommandError? Complaint(string name, IReadOnlyDictionary<string, string> labels)
    {
        if (!IsWord(name) || !char.IsAsciiLetterOrDigit(name[0]))
        {
            return new CommandError(CommandError.Invalid, "name", $"a node's name has 1 to {MostCharacters} letters, digits, '-', '_' and '.', and begins with a letter or digit");
        }
        return labels.Count > MostLabels || labels.Any(label => !IsWord(label.Key) || !(label.Value.Length == 0 || IsWord(label.Value)))
            ? new CommandError(CommandError.Invalid, "labels", $"at most {MostLabels} labels, name and value of at most {MostCharacters} letters, digits, '-', '_' and '.'")
            : null;
    }

    private static bool IsWord(string text) => text.Length is > 0 and <= MostCharacters && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
}
