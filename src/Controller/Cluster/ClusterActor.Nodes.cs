using System.Security.Cryptography.X509Certificates;
using NftCluster.Actors;
using NftCluster.Controller.Sessions;
using NftCluster.Messages.Link;

namespace NftCluster.Controller.Cluster;

/// <summary>Joining, renewing, connecting, revoking.</summary>
internal sealed partial class ClusterActor
{
    private static readonly TimeSpan _longestToken = TimeSpan.FromDays(30);
    private const int MostUses = 10_000;

    private async ValueTask<Result<JoinAnswer>> JoinAsync(JoinRequest request)
    {
        Result<NodeKey> key = NodeKey.Parse(request.CsrPem);
        CommandError? wrong = NodeName.Complaint(request.Name, request.Labels) ?? key.Error;
        if (wrong is null && request.KeyId != key.Value!.Hash)
        {
            wrong = new CommandError(CommandError.Invalid, "key_id", "key_id is not the SHA-256 of the key in the certificate request");
        }
        if (wrong is not null)
        {
            return wrong;
        }
        string secretHash = JoinSecret.HashOf(request.Secret);
        Result<JoinDecision> decision = _registry.MayJoin(secretHash, key.Value!.Hash, request.Name, Now);
        if (decision.Value is not { } allowed)
        {
            ClusterLog.JoinRefused(place.Logger, request.Name, decision.Error!.Text);
            return decision.Error!;
        }
        if (allowed.Before is { } before)
        {
            return Answer(before.NodeId, before.CertificatePem);
        }
        string id = NodeRegistry.IdOf(key.Value.Hash);
        using X509Certificate2 certificate = place.Authority.IssueNode(id, key.Value.Request);
        CommandError? refused = await StoreAsync(new NodeJoined(Now, id, request.Name, new Dictionary<string, string>(request.Labels, StringComparer.Ordinal), key.Value.Hash, secretHash, certificate.ExportCertificatePem(), certificate.Ends()));
        if (refused is not null)
        {
            return refused;
        }
        ClusterLog.NodeJoined(place.Logger, request.Name, id);
        if (!_presences.ContainsKey(id))
        {
            _presences[id] = new Presence(OfflineView(_registry.Find(id)!));
            See(_presences[id].Node);
        }
        return Answer(id, certificate.ExportCertificatePem());
    }

    private async ValueTask<Result<JoinAnswer>> RenewAsync(RenewNode renew)
    {
        if (MayConnect(renew.NodeId) is { } refused)
        {
            return new CommandError(CommandError.Forbidden, null, refused.Text);
        }
        Result<NodeKey> key = NodeKey.Parse(renew.CsrPem);
        if (key.Value is null)
        {
            return key.Error!;
        }
        using X509Certificate2 certificate = place.Authority.IssueNode(renew.NodeId, key.Value.Request);
        if (await StoreAsync(new CertificateRenewed(Now, renew.NodeId, key.Value.Hash, certificate.Ends())) is { } full)
        {
            return full;
        }
        Describe(renew.NodeId, node => node with { CertificateEnds = certificate.Ends() });
        return Answer(renew.NodeId, certificate.ExportCertificatePem());
    }

    private JoinAnswer Answer(string nodeId, string certificatePem)
    {
        using var certificate = X509Certificate2.CreateFromPem(certificatePem);
        return new JoinAnswer { NodeId = nodeId, CertificatePem = certificatePem, CaPem = place.Authority.BundlePem, RenewAfter = CertificateAuthority.RenewAfter(certificate, Context.Time) };
    }

    private async ValueTask<NodeAdmitted> ConnectAsync(ConnectNode connect)
    {
        (NodeIdentity identity, Hello hello) = (connect.Identity, connect.Hello);
        uint? protocol = LinkOptions.Choose(hello.ProtocolOldest, hello.ProtocolNewest);
        Refusal? refusal = MayConnect(identity.NodeId) ?? (protocol is null ? NoProtocol(hello) : null);
        if (refusal is not null)
        {
            ClusterLog.NodeRefused(place.Logger, identity.NodeId, identity.RemoteAddress, refusal.Text);
            return new NodeAdmitted(null, refusal);
        }
        string? problem = await DescribeAsync(identity.NodeId, hello);
        Presence presence = _presences[identity.NodeId];
        // The newest connection is the node: one that hangs in a dead network must not keep it out.
        presence.Link?.Tell(new EndLink(new Refusal { Reason = Refusal.Types.Reason.Duplicate, Text = $"another connection of this node took over, from {identity.RemoteAddress}" }));
        problem = Fence(hello) ?? problem;
        Welcome welcome = new()
        {
            Protocol = protocol!.Value,
            NodeId = identity.NodeId,
            ControllerIncarnation = _incarnation,
            CreditBytes = (ulong)place.Link.CreditBytes,
            HeartbeatMs = (uint)place.Link.Heartbeat.TotalMilliseconds,
            ControllerVersion = place.Version,
        };
        welcome.Committed.AddRange(connect.Committed.Epochs.Select(upTo => new Ack { Epoch = upTo.Epoch, Sequence = upTo.Sequence, CreditBytes = welcome.CreditBytes }));
        KnownNode known = _registry.Find(identity.NodeId)!;
        NodeView view = OfflineView(known) with
        {
            Version = hello.Host?.Version,
            Hostname = hello.Host?.Hostname,
            KernelRelease = hello.Host?.KernelRelease,
            Netns = hello.Host?.Netns,
            Protocol = protocol,
            RemoteAddress = identity.RemoteAddress,
            CertificateEnds = identity.CertificateEnds,
            ObservedGeneration = hello.ObservedGeneration,
            Spool = NodeSpool.Of(hello.Spool),
            Problem = problem,
        };
        LinkPlace linkPlace = new(view, welcome, connect.Wire, Context.Self, place.Listeners, place.Link, place.Logger);
        ActorRef<NodeLinkMessage> link = Context.Spawn<NodeLinkMessage>($"node-{++_links}-{identity.NodeId}", () => new NodeLinkActor(linkPlace));
        Context.WatchWith(link, new LinkGone(identity.NodeId, link));
        presence.Link = link;
        ClusterLog.NodeConnected(place.Logger, known.Name, known.Id, identity.RemoteAddress);
        if (problem is not null)
        {
            ClusterLog.NodeProblem(place.Logger, known.Id, problem);
        }
        See(view with { State = NodeView.Connected, ConnectedSince = Now, LastSeen = Now });
        SendDesired(presence);
        if (identity.IsOutgoing)
        {
            link.Tell(new ForwardRequest(new Request { RenewCertificate = new Empty() }, Nobody()));
        }
        return new NodeAdmitted(link, null);
    }

    /// <summary>Name and labels are the node's to say, but not another node's name.</summary>
    private async ValueTask<string?> DescribeAsync(string nodeId, Hello hello)
    {
        KnownNode known = _registry.Find(nodeId)!;
        string name = hello.Name.Length == 0 ? known.Name : hello.Name;
        Dictionary<string, string> labels = new(hello.Labels, StringComparer.Ordinal);
        if ((NodeName.Complaint(name, labels) ?? _registry.NameTaken(nodeId, name)) is { } wrong)
        {
            return $"it stays '{known.Name}' here: {wrong.Text}";
        }
        if (name != known.Name || labels.Count != known.Labels.Count || labels.Any(label => known.Labels.GetValueOrDefault(label.Key) != label.Value))
        {
            return (await StoreAsync(new NodeDescribed(Now, nodeId, name, labels)))?.Text;
        }
        return null;
    }

    /// <summary>A node that followed another database keeps what it runs (it decides so itself): here that is only said.</summary>
    private string? Fence(Hello hello)
    {
        if (!hello.ControllerIncarnation.IsEmpty && !hello.ControllerIncarnation.Equals(_incarnation))
        {
            return "it followed another controller, or this one before its database was replaced: sessions of that time run on; start the node with --adopt to make it follow this one";
        }
        return hello.ObservedGeneration > Generation
            ? $"it has observed generation {hello.ObservedGeneration}, this database knows only {Generation}: was an older backup restored? Sessions of that time run on; start the node with --adopt to make it follow this one"
            : null;
    }

    private Refusal? MayConnect(string nodeId) => _registry.Find(nodeId) switch
    {
        null => new Refusal { Reason = Refusal.Types.Reason.Revoked, Text = "this node is not known here: join it with a new token (nftcluster token create)" },
        { IsRevoked: true } => new Refusal { Reason = Refusal.Types.Reason.Revoked, Text = "this node was revoked: remove its identity and join it with a new token" },
        _ => null,
    };

    private static Refusal NoProtocol(Hello hello) => new()
    {
        Reason = Refusal.Types.Reason.Protocol,
        Text = $"this controller speaks versions {LinkOptions.OldestProtocol} to {LinkOptions.NewestProtocol} of the link, the node {hello.ProtocolOldest} to {hello.ProtocolNewest}: upgrade the older one",
    };

    private async ValueTask<Result<NodeView>> RevokeAsync(RevokeNode revoke)
    {
        if (Find(revoke.Id) is not { } presence)
        {
            return NoNode(revoke.Id);
        }
        if (presence.Node.State != NodeView.Revoked)
        {
            if (await StoreAsync(new NodeRevoked(Now, presence.Node.Id, revoke.By)) is { } full)
            {
                return full;
            }
            ClusterLog.NodeRevoked(place.Logger, presence.Node.Id, revoke.By);
            presence.Link?.Tell(new EndLink(MayConnect(presence.Node.Id)!));
            presence.Link = null;
            See(presence.Node with { State = NodeView.Revoked, ConnectedSince = null });
        }
        return presence.Node;
    }

    private async ValueTask<Result<JoinTokenView>> CreateTokenAsync(CreateJoinToken create)
    {
        if (create.Ttl <= TimeSpan.Zero || create.Ttl > _longestToken)
        {
            return new CommandError(CommandError.Invalid, "ttl", "a join token lives more than 0 s and at most 30 days");
        }
        if (create.Uses is < 1 or > MostUses)
        {
            return new CommandError(CommandError.Invalid, "uses", $"a join token is for 1 to {MostUses} nodes");
        }
        string secret = JoinSecret.New();
        DateTimeOffset expires = Now + create.Ttl;
        return await StoreAsync(new TokenCreated(Now, JoinSecret.HashOf(secret), expires, create.Uses, create.By)) is { } full
            ? full
            : new JoinTokenView(new JoinToken(place.Authority.Sha256, secret).Reveal(), expires, create.Uses);
    }

    private void Ask(AskNode ask)
    {
        if (Find(ask.Id) is not { } presence)
        {
            ask.ReplyTo.Tell(NoNode(ask.Id));
        }
        else if (presence.Link is not { } link || !link.Tell(new ForwardRequest(ask.Request, ask.ReplyTo)))
        {
            ask.ReplyTo.Tell(new CommandError(CommandError.Unavailable, null, $"node {presence.Node.Name} is {presence.Node.State}: it answers when it is connected"));
        }
    }

    private bool IsCurrent(string nodeId, ActorRef<NodeLinkMessage> link) => _presences.TryGetValue(nodeId, out Presence? presence) && presence.Link == link;

    private void Describe(string nodeId, Func<NodeView, NodeView> change)
    {
        Presence presence = _presences[nodeId];
        if (presence.Link is not { } link || !link.Tell(new DescribeNode(change)))
        {
            See(change(presence.Node));
        }
    }

    private void Lose(string nodeId)
    {
        Presence presence = _presences[nodeId];
        presence.Link = null;
        See(presence.Node with { State = NodeView.Offline, ConnectedSince = null });
    }

    private void See(NodeView node)
    {
        Presence presence = _presences[node.Id];
        if (presence.Node.State != node.State)
        {
            ClusterLog.NodeState(place.Logger, node.Id, node.State);
        }
        bool isOther = presence.Node.State != node.State || presence.Node.Name != node.Name;
        presence.Node = node;
        place.Listeners.Node?.Invoke(node);
        if (isOther)
        {
            TellSessions(new MemberSeen(node));
        }
    }
}
