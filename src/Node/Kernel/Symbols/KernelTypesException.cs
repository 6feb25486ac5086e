namespace NftCluster.Node.Kernel.Symbols;

/// <summary>The kernel's types cannot be read; the message is one line that says what to do.</summary>
internal sealed class KernelTypesException : Exception
{
    public KernelTypesException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
