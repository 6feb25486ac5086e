using NftCluster.Controller.Sessions;
using NftCluster.Controller.Storage;

namespace NftCluster.Controller.Cluster;

/// <summary>Who may connect: nodes and join tokens, as the journal tells. Decides; signing and storing are its owner's.</summary>
internal sealed class NodeRegistry
{
    private readonly Dictionary<string, KnownNode> _nodes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Token> _tokens = new(StringComparer.Ordinal);

    public IEnumerable<KnownNode> Nodes => _nodes.Values;

    public KnownNode? Find(string idOrName) => _nodes.GetValueOrDefault(idOrName)
        ?? _nodes.Values.Where(node => node.Name == idOrName).OrderBy(node => node.IsRevoked).FirstOrDefault();

    public void Apply(RegistryEvent happened)
    {
        switch (happened)
        {
            case TokenCreated made:
                _tokens[made.SecretHash] = new Token(made.ExpiresAt, made.Uses);
                break;
            case NodeJoined joined:
                _tokens.GetValueOrDefault(joined.SecretHash)?.Spend(joined.KeyHash, joined);
                _nodes[joined.NodeId] = new KnownNode(joined.NodeId, joined.Name, joined.Labels, joined.At, joined.At, joined.CertificateEnds, IsRevoked: false);
                break;
            case CertificateRenewed renewed when _nodes.TryGetValue(renewed.NodeId, out KnownNode? node):
                _nodes[renewed.NodeId] = node with { CertifiedAt = renewed.At, CertificateEnds = renewed.CertificateEnds };
                break;
            case NodeDescribed described when _nodes.TryGetValue(described.NodeId, out KnownNode? node):
                _nodes[described.NodeId] = node with { Name = described.Name, Labels = described.Labels };
                break;
            case NodeRevoked revoked when _nodes.TryGetValue(revoked.NodeId, out KnownNode? node):
                _nodes[revoked.NodeId] = node with { IsRevoked = true };
                break;
        }
    }

    /// <summary>Of nodes that may connect: those whose certificate is older than that.</summary>
    public IEnumerable<KnownNode> CertifiedBefore(DateTimeOffset time) => _nodes.Values.Where(node => !node.IsRevoked && node.CertifiedAt < time);

    /// <summary>As the database tells, for whom no controller runs.</summary>
    public static async Task<NodeRegistry> ReadAsync(Journal journal)
    {
        NodeRegistry registry = new();
        foreach (RegistryEvent happened in await Stream(journal).ReadAsync())
        {
            registry.Apply(happened);
        }
        return registry;
    }

    public static EventStream<RegistryEvent> Stream(Journal journal) => new(journal, "cluster", ClusterJson.Default.RegistryEvent);

    /// <summary>The node's id is its key's: who joins again with the same key is the same node.</summary>
    public static string IdOf(string keyHash) => keyHash[..16];

    /// <summary>The answer given before to the same key, when there is one; else whether it may join.</summary>
    public Result<JoinDecision> MayJoin(string secretHash, string keyHash, string name, DateTimeOffset now)
    {
        if (!_tokens.TryGetValue(secretHash, out Token? token))
        {
            return new CommandError(CommandError.Forbidden, "secret", "this join token is unknown here: make one with nftcluster token create");
        }
        if (_nodes.GetValueOrDefault(IdOf(keyHash)) is { IsRevoked: true })
        {
            return new CommandError(CommandError.Forbidden, "csr_pem", "this node's key was revoked: remove the node's identity, then join with a new token");
        }
        if (token.Answers.TryGetValue(keyHash, out NodeJoined? before))
        {
            return new JoinDecision(before);
        }
        if (now >= token.ExpiresAt)
        {
            return new CommandError(CommandError.Forbidden, "secret", $"this join token ended at {token.ExpiresAt:yyyy-MM-dd HH:mm:ss}Z: make a new one with nftcluster token create");
        }
        if (token.Answers.Count >= token.Uses)
        {
            return new CommandError(CommandError.Forbidden, "secret", "this join token is used up: make a new one with nftcluster token create");
        }
        return NameTaken(IdOf(keyHash), name) ?? (Result<JoinDecision>)new JoinDecision(null);
    }

    /// <summary>Null: the name is free, or its own.</summary>
    public CommandError? NameTaken(string nodeId, string name) => _nodes.Values.FirstOrDefault(node => node.Name == name && node.Id != nodeId && !node.IsRevoked) is { } other
        ? new CommandError(CommandError.Conflict, "name", $"another node is called '{name}' ({other.Id}): choose another name, or revoke that one first")
        : null;

    private sealed class Token(DateTimeOffset expiresAt, int uses)
    {
        public DateTimeOffset ExpiresAt => expiresAt;

        public int Uses => uses;

        public Dictionary<string, NodeJoined> Answers { get; } = new(StringComparer.Ordinal);

        public void Spend(string keyHash, NodeJoined answer) => Answers[keyHash] = answer;
    }
}

internal sealed record KnownNode(string Id, string Name, IReadOnlyDictionary<string, string> Labels, DateTimeOffset JoinedAt, DateTimeOffset CertifiedAt, DateTimeOffset CertificateEnds, bool IsRevoked);

/// <summary>What a join comes to: the answer of before, or (null) a new one.</summary>
internal sealed record JoinDecision(NodeJoined? Before);
