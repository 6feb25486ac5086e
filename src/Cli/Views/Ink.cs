namespace NftCluster.Cli.Views;

/// <summary>The meanings that views paint; colour never says what a word does not.</summary>
internal enum Ink
{
    Plain,
    Dim,
    Strong,
    Good,
    Bad,
    Warning,
    Change,
}
