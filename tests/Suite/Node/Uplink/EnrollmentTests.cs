using NftCluster.Messages.Link;
using NftCluster.Node.Uplink;
using NftCluster.TestKit;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Node.Uplink;

public sealed class EnrollmentTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_controller_with_another_CA_than_the_token_names_never_sees_the_secret()
    {
        await using ScriptedController controller = await ScriptedController.StartAsync();
        JoinToken token = new(new string('0', 64), ScriptedController.Secret);

        UplinkException refused = await Assert.ThrowsAsync<UplinkException>(() => JoinAsync(controller, token));

        Assert.Contains("its CA is another. The token's secret was not sent", refused.Message, StringComparison.Ordinal);
        Assert.True(refused.IsFinal);
        Assert.Equal(0, controller.Joins);
    }

    [Fact]
    public void Whoever_shows_a_nodes_certificate_is_not_the_controller()
    {
        TestAuthority authority = new();
        ControllerTrust trust = new([authority.Certificate], TimeProvider.System);

        Assert.False(trust.Validate(this, authority.IssueWithKey("n2", TestAuthority.Client), null, default));

        Assert.Contains("not a server's: it is not the controller", trust.Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refused_token_is_one_line_and_final()
    {
        await using ScriptedController controller = await ScriptedController.StartAsync();

        UplinkException refused = await Assert.ThrowsAsync<UplinkException>(() => JoinAsync(controller, controller.Token with { Secret = "other" }));

        Assert.Equal("the controller refuses: the token was used up", refused.Message);
        Assert.True(refused.IsFinal);
    }

    [Fact]
    public async Task Nobody_there_is_worth_another_try()
    {
        ControllerAddress address;
        JoinToken token;
        await using (ScriptedController controller = await ScriptedController.StartAsync())
        {
            (address, token) = (controller.Address, controller.Token);
        }

        UplinkException refused = await Assert.ThrowsAsync<UplinkException>(() => new Enrollment(new NodeIdentity(_directory.Path), TimeProvider.System).JoinAsync(address, token, "r1", new Dictionary<string, string>(StringComparer.Ordinal), TestContext.Current.CancellationToken));

        Assert.StartsWith($"no controller answers at {address}: ", refused.Message, StringComparison.Ordinal);
        Assert.False(refused.IsFinal);
    }

    [Fact]
    public async Task Asked_again_the_request_is_the_same_and_the_identity_belongs_to_its_owner_alone()
    {
        await using ScriptedController controller = await ScriptedController.StartAsync();
        await JoinAsync(controller, controller.Token);
        string first = NodeIdentity.KeyIdOf(new NodeIdentity(_directory.Path).JoiningKey());
        await JoinAsync(controller, controller.Token);

        NodeIdentity identity = new(_directory.Path);
        Assert.Equal(first, NodeIdentity.KeyIdOf(identity.JoiningKey()));
        Assert.Equal(("n1", true), (identity.NodeId, identity.HasJoined));
        Assert.All(Directory.GetFiles(Path.Combine(_directory.Path, "identity")), file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));
    }

    [Fact]
    public void A_host_that_booted_in_1970_is_told_to_set_its_clock()
    {
        TestAuthority authority = new();
        ManualTime time = new();
        time.AdjustTime(DateTimeOffset.UnixEpoch.AddMinutes(1));
        ControllerTrust trust = new([authority.Certificate], time);

        Assert.False(trust.Validate(this, authority.IssueWithKey("controller", TestAuthority.Server), null, default));

        Assert.EndsWith("this host's clock says 1970-01-01 00:01: set this host's clock", trust.Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_controllers_certificate_is_refused()
    {
        ControllerTrust trust = new([new TestAuthority().Certificate], TimeProvider.System);

        Assert.False(trust.Validate(this, new TestAuthority().IssueWithKey("controller", TestAuthority.Server), null, default));

        Assert.Contains("this controller's CA has not signed", trust.Refusal, StringComparison.Ordinal);
    }

    private Task JoinAsync(ScriptedController controller, JoinToken token) =>
        new Enrollment(new NodeIdentity(_directory.Path), TimeProvider.System).JoinAsync(controller.Address, token, "r1", new Dictionary<string, string>(StringComparer.Ordinal), TestContext.Current.CancellationToken);
}
