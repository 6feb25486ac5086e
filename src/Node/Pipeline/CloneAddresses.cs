using System.Runtime.CompilerServices;

namespace NftCluster.Node.Pipeline;

/// <summary>Room for the clones of one packet: a bridge that floods to more ports is rare.</summary>
[InlineArray(Capacity)]
internal struct CloneAddresses
{
    public const int Capacity = 4;

    private ulong _element;
}
