using NftCluster.Cli;
using NftCluster.Cli.Client;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Cli.Client;

/// <summary>Where the command line keeps whom it is logged in to.</summary>
public sealed class ContextStoreTests : IDisposable
{
    private const UnixFileMode Secret = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly TempDirectory _directory = new();
    private readonly ContextStore _store;

    public ContextStoreTests() => _store = new ContextStore(_directory.File("client"));

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void What_is_kept_is_found_again_and_nobody_else_may_read_it()
    {
        _store.Keep("lab", new ClientContext { Url = "https://lab:7443", AccessToken = "a", RefreshToken = "r" }, makeCurrent: true);
        _store.Keep("other", new ClientContext { Url = "https://other:7443" }, makeCurrent: false);

        Assert.Equal(("lab", "a"), (_store.Find(null).Name, _store.Find(null).Context.AccessToken));
        Assert.Equal("https://other:7443", _store.Find("other").Context.Url);
        Assert.Equal(Secret, File.GetUnixFileMode(_store.Path));
        Assert.Equal(Secret | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.GetDirectoryName(_store.Path)!));
    }

    [Fact]
    public void A_removed_context_is_no_longer_the_current_one()
    {
        _store.Keep("lab", new ClientContext { Url = "https://lab:7443" }, makeCurrent: true);
        _store.Remove("lab");

        Assert.Contains("nftcluster login", Assert.Throws<UsageException>(() => _store.Find(null)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_context_is_answered_with_those_that_there_are()
    {
        _store.Keep("lab", new ClientContext { Url = "https://lab:7443" }, makeCurrent: true);

        Assert.Equal("there is no context 'web': there are lab", Assert.Throws<UsageException>(() => _store.Find("web")).Message);
    }

    [Fact]
    public void A_file_that_others_may_read_is_not_used()
    {
        _store.Keep("lab", new ClientContext { Url = "https://lab:7443" }, makeCurrent: true);
        File.SetUnixFileMode(_store.Path, Secret | UnixFileMode.GroupRead);

        Assert.Contains("chmod 600", Assert.Throws<UsageException>(() => _store.Find("lab")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_file_is_one_line()
    {
        _store.Keep("lab", new ClientContext { Url = "https://lab:7443" }, makeCurrent: true);
        File.WriteAllText(_store.Path, "{ \"contexts\": ");

        Assert.Contains("is damaged", Assert.Throws<UsageException>(_store.Read).Message, StringComparison.Ordinal);
    }
}
