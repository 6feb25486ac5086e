namespace NftCluster.Controller.Cluster;

/// <summary>The cluster cannot be run like this; the message is one line that says what to do.</summary>
internal sealed class ClusterException(string message, Exception? cause = null) : Exception(message, cause);
