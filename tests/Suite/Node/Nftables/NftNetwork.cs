using NftCluster.Node.Kernel;
using NftCluster.Node.Nftables;
using NftCluster.Tests.Faults;

namespace NftCluster.Tests.Node.Nftables;

/// <summary>A namespace of one test's own, with nft commands run inside it.</summary>
internal sealed class NftNetwork : IDisposable
{
    private readonly QuietNetwork _network = new();

    public string Name => _network.Name;

    public string Path => _network.Path;

    public QuietNetwork Traffic => _network;

    public void Nft(string commands)
    {
        NftResult result = NetworkNamespace.Run(Path, () =>
        {
            using var nft = NftContext.Open();
            return nft.Run(commands);
        });
        Assert.True(result.Ok, result.Errors);
    }

    public string List(NftOutput output = NftOutput.None) => NetworkNamespace.Run(Path, () =>
    {
        using var nft = NftContext.Open();
        return nft.Run("list ruleset", output).Output;
    });

    public Ruleset Read(RuleTexts texts = RuleTexts.Stateless) => RulesetReader.ReadOnce(Path, texts);

    public void Dispose() => _network.Dispose();
}
