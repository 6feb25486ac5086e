using System.Net;
using System.Net.Sockets;
using NftCluster.Lab;

namespace NftCluster.Tests.Lab;

public sealed class TopologyTests
{
    [Fact]
    public void The_shipped_line_topology_is_valid_and_has_both_families()
    {
        Topology line = TopologyFile.Load("line");

        Assert.Equal("client r1 r2 server", string.Join(' ', line.Hosts.Select(host => host.Name)));
        Assert.Equal(IPAddress.Parse("10.3.0.2"), line.AddressOf("server", AddressFamily.InterNetwork));
        Assert.Equal(IPAddress.Parse("fd03::2"), line.AddressOf("server", AddressFamily.InterNetworkV6));
    }

    [Fact]
    public void Comments_and_trailing_commas_are_allowed()
    {
        Topology topology = TopologyFile.Parse("""
            // a host alone
            { "name": "solo", "hosts": [ { "name": "a" }, ] }
            """);

        Assert.Equal("a", Assert.Single(topology.Hosts).Name);
    }

    [Theory]
    [InlineData("""{ "name": "Up per", "hosts": [ { "name": "a" } ] }""", "the name 'Up per' is not usable")]
    [InlineData("""{ "name": "x", "hosts": [] }""", "it has no hosts")]
    [InlineData("""{ "name": "x", "hosts": [ { "name": "a-b" } ] }""", "the host name 'a-b' is not usable")]
    [InlineData("""{ "name": "x", "hosts": [ { "name": "a" }, { "name": "a" } ] }""", "host 'a' is listed twice")]
    [InlineData("""{ "name": "x", "hosts": [ { "name": "a", "sysctls": { "kernel.panic": "1" } } ] }""", "the sysctl 'kernel.panic' is not one of a network namespace")]
    [InlineData("""{ "name": "x", "hosts": [ { "nam": "a" } ] }""", "not a topology")]
    [InlineData("""{ "name": "x" }""", "not a topology")]
    [InlineData("""{ "name": "x", "hosts": null }""", "not a topology")]
    [InlineData("null", "not a topology")]
    [InlineData("{", "not a topology")]
    public void A_wrong_topology_is_refused_in_one_line(string json, string expected) => AssertRefused(json, expected);

    [Theory]
    [InlineData("c", "eth0", "10.0.0.2/24", "a link names the unknown host 'c': known are a, b")]
    [InlineData("b", "a-device-name-too-long", "10.0.0.2/24", "the device name 'a-device-name-too-long' is not usable")]
    [InlineData("b", "lo", "10.0.0.2/24", "the device name 'lo' is not usable")]
    [InlineData("a", "eth0", "10.0.0.2/24", "host 'a' has two devices 'eth0'")]
    [InlineData("b", "eth0", "10.0.0.256/24", "'10.0.0.256/24' is not an address")]
    [InlineData("b", "eth0", "10.0.0.2", "'10.0.0.2' is not an address")]
    [InlineData("b", "eth0", "10.0.0.2/33", "'10.0.0.2/33' is not an address")]
    [InlineData("b", "eth0", "10.0.0.1/24", "the address 10.0.0.1 is given to both a and b")]
    public void A_wrong_link_is_refused_in_one_line(string host, string device, string address, string expected) =>
        AssertRefused(Linked($$"""{ "host": "{{host}}", "device": "{{device}}", "addresses": [ "{{address}}" ] }""", "[]"), expected);

    [Theory]
    [InlineData("default", "10.0.0", "the gateway '10.0.0' of the route to default is not an address")]
    [InlineData("default", "10.0.0.2/24", "the gateway '10.0.0.2/24' of the route to default is not an address")]
    [InlineData("10.9.0.1/24", "10.0.0.2", "the route's destination '10.9.0.1/24' is not a prefix of its gateway's family")]
    [InlineData("fd09::/64", "10.0.0.2", "the route's destination 'fd09::/64' is not a prefix of its gateway's family")]
    [InlineData("default", "10.7.0.1", "the gateway 10.7.0.1 is on none of its networks")]
    public void A_wrong_route_is_refused_in_one_line(string to, string via, string expected) =>
        AssertRefused(Linked("""{ "host": "b", "device": "eth0", "addresses": [ "10.0.0.2/24" ] }""", $$"""[ { "to": "{{to}}", "via": "{{via}}" } ]"""), expected);

    [Fact]
    public void An_unknown_topology_lists_the_known_ones()
    {
        LabException exception = Assert.Throws<LabException>(() => TopologyFile.Load("nowhere"));

        Assert.Contains("there is no topology 'nowhere'", exception.Message, StringComparison.Ordinal);
        Assert.Contains("line", exception.Message, StringComparison.Ordinal);
    }

    private static string Linked(string farEnd, string routes) => $$"""
        {
          "name": "x",
          "hosts": [ { "name": "a", "routes": {{routes}} }, { "name": "b" } ],
          "links": [ { "a": { "host": "a", "device": "eth0", "addresses": [ "10.0.0.1/24" ] }, "b": {{farEnd}} } ]
        }
        """;

    private static void AssertRefused(string json, string expected)
    {
        LabException exception = Assert.Throws<LabException>(() => TopologyFile.Parse(json, "my.json"));

        Assert.StartsWith("my.json: ", exception.Message, StringComparison.Ordinal);
        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', exception.Message);
    }
}
