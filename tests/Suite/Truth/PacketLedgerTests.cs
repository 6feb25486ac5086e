namespace NftCluster.Tests.Truth;

public sealed class PacketLedgerTests
{
    private readonly PacketLedger _ledger = new("r1");

    [Fact]
    public void Books_that_agree_have_no_differences()
    {
        for (int i = 0; i < 3; i++)
        {
            Forward(Udp(i), Udp(i));
        }

        Assert.Null(_ledger.Differences());
        Assert.Equal((6, 6), (_ledger.CapturedCount, _ledger.TracedCount));
    }

    [Fact]
    public void A_packet_without_a_trace_is_missing()
    {
        Forward(Udp(1), Udp(1));
        _ledger.Capture("eth0 in", Udp(2));

        Assert.Contains("missing: captured, no trace (1)\n    eth0 in: 10.1.0.2.5 > 10.3.0.2.2: UDP, length 4 (ttl 64,", _ledger.Differences(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_packet_with_two_traces_is_twice()
    {
        Forward(Udp(1), Udp(1));
        _ledger.Trace("again", ("eth0 in", Udp(1)), null);

        Assert.Contains("twice: more traces than captured (1)", _ledger.Differences(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_trace_of_nothing_is_extra()
    {
        _ledger.Trace("ghost", ("eth0 in", Udp(1)), null);

        Assert.Contains("extra: traced, never captured (1)", _ledger.Differences(), StringComparison.Ordinal);
    }

    [Fact]
    public void Two_packets_in_one_trace_are_merged()
    {
        _ledger.Capture("eth0 in", Udp(1));
        _ledger.Capture("eth1 out", Udp(2) with { Ttl = 63 });
        _ledger.Trace("both", ("eth0 in", Udp(1)), ("eth1 out", Udp(2) with { Ttl = 63 }));

        Assert.Contains("merged: in and out are different packets (1)\n    trace both", _ledger.Differences(), StringComparison.Ordinal);
    }

    [Fact]
    public void Equal_packets_are_counted_not_only_looked_for()
    {
        Forward(Udp(1), Udp(1));
        _ledger.Capture("eth0 in", Udp(1));
        _ledger.Capture("eth1 out", Udp(1) with { Ttl = 63 });

        Assert.Contains("missing: captured, no trace (2)", _ledger.Differences(), StringComparison.Ordinal);
    }

    [Fact]
    public void NAT_may_change_addresses_and_nothing_else()
    {
        Packet changed = Udp(1) with { Source = "10.2.0.1", SourcePort = 99 };
        Forward(Udp(1), changed, nat: true);
        Assert.Null(_ledger.Differences());

        Forward(Udp(2), changed with { IpId = 7 }, nat: true);
        Assert.Contains("merged", _ledger.Differences(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_TTL_that_did_not_fall_is_noticed()
    {
        _ledger.Capture("eth0 in", Udp(1));
        _ledger.Capture("eth1 out", Udp(1));
        _ledger.Trace("same", ("eth0 in", Udp(1)), ("eth1 out", Udp(1)));

        Assert.Contains("merged", _ledger.Differences(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_trace_without_sides_is_wrong()
    {
        _ledger.Trace("empty", null, null);

        Assert.Contains("wrong (1)\n    trace empty has neither side", _ledger.Differences(), StringComparison.Ordinal);
    }

    private void Forward(Packet came, Packet left, bool nat = false)
    {
        left = left with { Ttl = left.Ttl - 1 };
        _ledger.Capture("eth0 in", came);
        _ledger.Capture("eth1 out", left);
        _ledger.Trace("k", ("eth0 in", came), ("eth1 out", left), nat: nat);
    }

    private static Packet Udp(int port) => new()
    {
        Protocol = "UDP",
        Source = "10.1.0.2",
        Destination = "10.3.0.2",
        SourcePort = 5,
        DestinationPort = port,
        Ttl = 64,
        IpId = 1,
        Length = 32,
        Payload = 4,
    };
}
