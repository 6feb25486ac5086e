namespace NftCluster.Cli;

/// <summary>The command line asks for something that cannot be; the message is one line and says what would be right.</summary>
internal sealed class UsageException(string message) : Exception(message);
