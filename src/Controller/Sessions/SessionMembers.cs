using System.Text.Json;
using NftCluster.Controller.Cluster;
using NftCluster.Messages;
using NftCluster.Messages.Link;

namespace NftCluster.Controller.Sessions;

/// <summary>Each node's part in one session: selected or not, what it observed, what it reported.</summary>
internal sealed class SessionMembers
{
    public const string Waiting = "WAITING";

    private readonly Dictionary<string, NodeSessionView> _members = new(StringComparer.Ordinal);

    public IReadOnlyList<NodeSessionView> All => [.. _members.Values.OrderBy(member => member.NodeName, StringComparer.Ordinal)];

    /// <summary>All that take part have failed, and at least one has: there is nobody left to run it.</summary>
    public bool AllFailed => _members.Count > 0 && _members.Values.All(member => member.State == ClusterSession.Failed);

    public bool AnyRuns => _members.Values.Any(member => member.State == ClusterSession.Running);

    /// <summary>Nobody who could still hand something over soon.</summary>
    public bool AllEnded => _members.Values.All(member => !member.IsConnected || IsEnd(member.State) || member.State == Waiting);

    public StatisticsRecord? Statistics => StatisticsSum.Of([.. _members.Values.Select(member => member.Statistics).OfType<StatisticsRecord>()]);

    /// <summary>A node that is selected takes part; one that took part stays in the list when it is no longer selected.</summary>
    public void See(NodeView node, bool isSelected)
    {
        bool isConnected = node.State is NodeView.Connected or NodeView.Stale;
        if (_members.TryGetValue(node.Id, out NodeSessionView? known))
        {
            _members[node.Id] = known with { NodeName = node.Name, IsConnected = isConnected };
        }
        else if (isSelected)
        {
            _members[node.Id] = new NodeSessionView { NodeId = node.Id, NodeName = node.Name, State = Waiting, ObservedGeneration = 0, IsConnected = isConnected };
        }
    }

    public void Observe(string nodeId, ObservedSession observed)
    {
        if (_members.TryGetValue(nodeId, out NodeSessionView? member))
        {
            _members[nodeId] = member with
            {
                State = observed.State.Length == 0 ? member.State : observed.State,
                FailureReason = observed.FailureReason.Length == 0 ? null : observed.FailureReason,
                ObservedGeneration = observed.Generation,
                SampleThreshold = observed.SampleThreshold,
                SampleReason = observed.SampleReason.Length == 0 ? null : observed.SampleReason,
            };
        }
    }

    /// <summary>A node that observed a set without this session runs it no more.</summary>
    public void ObserveAbsence(string nodeId)
    {
        if (_members.TryGetValue(nodeId, out NodeSessionView? member) && !IsEnd(member.State) && member.State != Waiting)
        {
            _members[nodeId] = member with { State = ClusterSession.Stopped };
        }
    }

    public void Report(string nodeId, SessionReport report)
    {
        if (!_members.TryGetValue(nodeId, out NodeSessionView? member))
        {
            return;
        }
        _members[nodeId] = member with
        {
            State = report.State.Length == 0 ? member.State : report.State,
            FailureReason = report.FailureReason.Length == 0 ? member.FailureReason : report.FailureReason,
            Statistics = Parse(report) ?? member.Statistics,
        };
    }

    private static bool IsEnd(string state) => state is ClusterSession.Stopped or ClusterSession.Failed;

    private static StatisticsRecord? Parse(SessionReport report)
    {
        try
        {
            return report.StatisticsJson.IsEmpty ? null : JsonSerializer.Deserialize(report.StatisticsJson.Span, TraceJson.Default.StatisticsRecord);
        }
        catch (JsonException)
        {
            return null; // of a newer version: its numbers stay unknown here
        }
    }
}
