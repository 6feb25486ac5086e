using System.Globalization;
using NftCluster.Node.Export;

namespace NftCluster.Cli;

/// <summary>The file that says "everything is attached": there from then on until the end, never that of an earlier run.</summary>
internal sealed class ReadyFile : IDisposable
{
    private readonly string _path;
    private readonly string _temporary;
    private readonly string _content = string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}\n");

    private ReadyFile(string path)
    {
        _path = path;
        _temporary = $"{path}.{Environment.ProcessId}";
    }

    /// <summary>Before anything is attached: takes a stale file away, and tries whether a new one can be written.</summary>
    public static ReadyFile Claim(string path)
    {
        ReadyFile file = new(path);
        file.Guarded(() =>
        {
            // A device or a pipe of that name is somebody's: only a file is ever deleted.
            if (Path.Exists(path) && !FileKind.IsOrdinary(path))
            {
                throw new IOException("it is no ordinary file");
            }
            File.Delete(path);
            File.WriteAllText(file._temporary, file._content);
            File.Delete(file._temporary);
        });
        return file;
    }

    /// <summary>Whole or not at all: who waits for it may read it at once.</summary>
    public void Write() => Guarded(() =>
    {
        File.WriteAllText(_temporary, _content);
        File.Move(_temporary, _path, overwrite: true);
    });

    public void Dispose()
    {
        try
        {
            // Another run may have claimed the name since.
            if (File.Exists(_path) && File.ReadAllText(_path) == _content)
            {
                File.Delete(_path);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It or its directory is gone, or not ours any more: the next run takes it away.
        }
    }

    private void Guarded(Action step)
    {
        try
        {
            step();
        }
        catch (Exception unwritable) when (unwritable is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"--ready-file {_path} cannot be written: {unwritable.Message}");
        }
    }
}
