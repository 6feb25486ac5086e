namespace NftCluster.Lab;

/// <summary>Something the user can put right; the message is one line that says what is wrong and what to do.</summary>
public sealed class LabException : Exception
{
    public LabException(string message)
        : base(message)
    {
    }

    public LabException(string message, Exception inner)
        : base(message, inner)
    {
    }

    public LabException()
    {
    }
}
