namespace NftCluster.Node.Uplink;

/// <summary>The controller cannot be joined or reached, in one line; <see cref="IsFinal"/> when trying again cannot help.</summary>
internal sealed class UplinkException(string message, bool isFinal = false, Exception? cause = null) : Exception(message, cause)
{
    public bool IsFinal { get; } = isFinal;
}
