using Google.Protobuf;
using NftCluster.Messages.Link;
using NftCluster.Node.Agent;

namespace NftCluster.Tests.Node.Agent;

public sealed class ObedienceTests
{
    private static readonly Desired _followed = Of("one", 5);

    [Fact]
    public void The_first_controller_and_the_same_one_later_are_followed()
    {
        Assert.Null(Obedience.WhyNot(null, _followed, runsSessions: false, adopts: false));
        Assert.Null(Obedience.WhyNot(_followed, Of("one", 5), runsSessions: true, adopts: false));
        Assert.Null(Obedience.WhyNot(_followed, Of("one", 6), runsSessions: true, adopts: false));
    }

    [Fact]
    public void An_empty_database_does_not_stop_what_runs_unless_the_operator_said_so()
    {
        Assert.Contains("another database", Obedience.WhyNot(_followed, Of("two", 9), runsSessions: true, adopts: false), StringComparison.Ordinal);
        Assert.Null(Obedience.WhyNot(_followed, Of("two", 9), runsSessions: true, adopts: true));
        Assert.Null(Obedience.WhyNot(_followed, Of("two", 9), runsSessions: false, adopts: false));
    }

    [Fact]
    public void Nor_does_a_restored_one() =>
        Assert.Contains("has asked for 5 before", Obedience.WhyNot(_followed, Of("one", 4), runsSessions: true, adopts: false), StringComparison.Ordinal);

    private static Desired Of(string incarnation, ulong generation) => new() { ControllerIncarnation = ByteString.CopyFromUtf8(incarnation), Generation = generation };
}
