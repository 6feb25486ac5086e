namespace NftCluster.Node.Kernel.Filter;

/// <summary>A filter cannot be used; the message is one line for the person who typed it.</summary>
internal sealed class FilterException : Exception
{
    public FilterException(string message)
        : base(message)
    {
    }

    public FilterException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    public static FilterException LibraryMissing(Exception cause) =>
        new("libpcap is needed to compile a filter and was not found: apt-get install libpcap0.8", cause);
}
