using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using NftCluster.Controller.Cluster;
using NftCluster.TestKit;

namespace NftCluster.Tests.Controller.Cluster;

public sealed class CertificateAuthorityTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("nftcluster-ca-").FullName;
    private readonly ManualTime _time = new();

    public CertificateAuthorityTests() => _time.SetUtcNow(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_host_that_booted_in_1970_says_so_and_makes_nothing()
    {
        CertificateStore store = new(_directory, new Early());
        ClusterException refused = Assert.Throws<ClusterException>(() => store.OpenAuthority(TimeSpan.FromDays(1)));
        Assert.Contains("1970-01-01", refused.Message, StringComparison.Ordinal);
        Assert.Contains("set it", refused.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_directory));
    }

    [Fact]
    public void A_clock_before_the_CAs_own_time_is_said()
    {
        using (Open())
        {
        }
        Assert.Contains("set the clock", Assert.Throws<ClusterException>(() => new CertificateStore(_directory, new Early()).OpenAuthority(TimeSpan.FromDays(1))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_CA_stays_the_same_and_its_file_is_the_owners_alone()
    {
        using CertificateAuthority first = Open();
        using CertificateAuthority second = Open();
        Assert.Equal(first.Sha256, second.Sha256);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_directory, "ca.pem")));
    }

    [Fact]
    public void A_nodes_certificate_is_a_nodes_and_the_servers_is_not()
    {
        using CertificateAuthority authority = Open();
        using X509Certificate2 node = NodeOf(authority);
        using X509Certificate2 server = authority.IssueServer();
        Assert.True(authority.IsNode(node));
        Assert.False(authority.IsNode(server));
    }

    [Fact]
    public void While_the_CA_is_replaced_nodes_of_both_are_known_and_the_old_one_vouches_for_the_controller()
    {
        CertificateStore store = new(_directory, _time);
        using CertificateAuthority before = Open();
        using X509Certificate2 old = NodeOf(before);
        store.ReplaceAuthority();
        using CertificateAuthority after = Open();
        using X509Certificate2 young = NodeOf(after);
        Assert.True(after.IsNode(old) && after.IsNode(young));
        Assert.True(after.IsOutgoing(old) && !after.IsOutgoing(young));
        Assert.Equal(before.Sha256, after.Sha256);
        using X509Certificate2 server = after.IssueServer();
        Assert.Equal(old.Issuer, server.Issuer);
        Assert.Equal(2, after.BundlePem.Split("BEGIN CERTIFICATE").Length - 1);
        Assert.Throws<ClusterException>(store.ReplaceAuthority);
    }

    private CertificateAuthority Open() => new CertificateStore(_directory, _time).OpenAuthority(TimeSpan.FromDays(90));

    private static X509Certificate2 NodeOf(CertificateAuthority authority)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return authority.IssueNode("r1", new CertificateRequest("CN=x", key, HashAlgorithmName.SHA256));
    }

    private sealed class Early : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddMinutes(3);
    }
}
