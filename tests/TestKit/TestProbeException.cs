namespace NftCluster.TestKit;

/// <summary>An expectation that was not met: in which phase, what was expected, what came instead.</summary>
public sealed class TestProbeException : Exception
{
    public TestProbeException()
    {
    }

    public TestProbeException(string message)
        : base(message)
    {
    }

    public TestProbeException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
