namespace NftCluster.Node.Kernel;

/// <summary>The kernel, or a library on the way to it, does not do what is needed; the message is one line and says what to do.</summary>
public sealed class KernelException(string message) : Exception(message);
