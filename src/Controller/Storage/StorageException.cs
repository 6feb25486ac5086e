namespace NftCluster.Controller.Storage;

/// <summary>The state cannot be read or written: one line that says what is wrong and what to do.</summary>
internal sealed class StorageException(string message, Exception? cause = null) : Exception(message, cause);
