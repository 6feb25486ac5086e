namespace NftCluster.Node.Nftables.Changes;

/// <summary>A change cannot be made or taken back; the message is one line and says what is wrong and what to do. The ruleset is as it was.</summary>
public sealed class RuleChangeException(string message) : Exception(message);
