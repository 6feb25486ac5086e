using System.Globalization;

namespace NftCluster.Controller.Export;

/// <summary>A file with what was stored of a session from one frame to another, both included.</summary>
internal sealed record ExportPart(string Path, long FirstFrame, long LastFrame)
{
    public string Name => System.IO.Path.GetFileName(Path);

    /// <summary>Null where the name is not one that rotation gives: <c>SESSION.FIRST-LAST.json</c>.</summary>
    public static ExportPart? Parse(string path)
    {
        string[] names = System.IO.Path.GetFileName(path).Split('.');
        string[] frames = names.Length == 3 ? names[1].Split('-') : [];
        return frames.Length == 2 && long.TryParse(frames[0], NumberStyles.None, CultureInfo.InvariantCulture, out long first) && long.TryParse(frames[1], NumberStyles.None, CultureInfo.InvariantCulture, out long last)
            ? new ExportPart(path, first, last)
            : null;
    }
}
