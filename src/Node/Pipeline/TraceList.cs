namespace NftCluster.Node.Pipeline;

/// <summary>Traces in the order in which they were added, linked through themselves: add, remove and look at the oldest cost nothing.</summary>
internal sealed class TraceList
{
    public PacketTrace? Oldest { get; private set; }

    public int Count { get; private set; }

    private PacketTrace? _newest;

    public void Add(PacketTrace trace)
    {
        trace.List = this;
        trace.Previous = _newest;
        trace.Next = null;
        if (_newest is null)
        {
            Oldest = trace;
        }
        else
        {
            _newest.Next = trace;
        }
        _newest = trace;
        Count++;
    }

    public void Remove(PacketTrace trace)
    {
        if (trace.Previous is null)
        {
            Oldest = trace.Next;
        }
        else
        {
            trace.Previous.Next = trace.Next;
        }
        if (trace.Next is null)
        {
            _newest = trace.Previous;
        }
        else
        {
            trace.Next.Previous = trace.Previous;
        }
        trace.Previous = trace.Next = null;
        trace.List = null;
        Count--;
    }
}
