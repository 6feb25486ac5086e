using System.Text.Json;
using NftCluster.Actors;
using NftCluster.Controller.Api;
using NftCluster.Messages;
using NftCluster.Messages.Link;

namespace NftCluster.Controller.Live;

/// <summary>
/// Who watches what, and what they are told: each message is written once for all of them. Traces are shown up to so many a second and session,
/// the others are counted in what is shown ("showing 1 of N"). Ingest tells it and goes on; nobody waits for a viewer.
/// </summary>
internal sealed class LiveHubActor : Actor<LiveMessage>
{
    /// <summary>More than anybody reads.</summary>
    public const int MostTracesPerSecond = 100;

    /// <summary>Of a session's traces, to all its viewers together: hundreds of viewers are shown fewer, so that they do not take the processor from ingest.</summary>
    private const int MostTracesToAllPerSecond = 5_000;
    private const int FewestTracesPerSecond = 5;

    /// <summary>Payloads that wait; more are not shown, and counted by the mailbox.</summary>
    public const int Mailbox = 1_024;

    private readonly HashSet<LiveViewer> _everywhere = [];
    private readonly Dictionary<string, HashSet<LiveViewer>> _watching = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Shown> _shown = new(StringComparer.Ordinal);

    protected override ValueTask ReceiveAsync(LiveMessage message)
    {
        switch (message)
        {
            case Watch { SessionId: null } watch:
                _everywhere.Add(watch.Viewer);
                break;
            case Watch { SessionId: { } session } watch:
                (_watching.TryGetValue(session, out HashSet<LiveViewer>? viewers) ? viewers : _watching[session] = []).Add(watch.Viewer);
                break;
            case StopWatching { Viewer: var viewer }:
                Forget(viewer);
                break;
            case SessionTold { Session: var view }:
                Tell(Everybody(view.Id), new SessionStateLine(view.Id, view.State, view.IsPaused, view.Generation, view.FailureReason));
                if (view.Statistics is { } statistics)
                {
                    Tell(Watching(view.Id), new StatsLine(view.Id, JsonSerializer.SerializeToNode(statistics, TraceJson.Default.StatisticsRecord)));
                }
                break;
            case NodeTold { Node: var node }:
                Tell(_everywhere.Concat(_watching.Values.SelectMany(viewers => viewers)).Distinct(), new NodeStateLine(node.Id, node.Name, node.State, node.Problem));
                break;
            case PayloadTold { Payload: { Traces: { } batch } } told when _watching.ContainsKey(batch.SessionId):
                TellTraces(told, batch);
                break;
            case PayloadTold { Payload: { Losses: { } losses } } told:
                foreach (Loss loss in losses.Loss)
                {
                    Tell(
                        losses.SessionId.Length > 0 ? Watching(losses.SessionId) : _watching.Values.SelectMany(viewers => viewers).Distinct(),
                        new LossLine(losses.SessionId, told.NodeId, told.NodeName, loss.Stage, loss.Kind, loss.HasCount ? loss.Count : null, TraceTime.Format(loss.FromNs), TraceTime.Format(loss.ToNs)));
                }
                break;
        }
        return default;
    }

    private HashSet<LiveViewer> Watching(string session) => _watching.GetValueOrDefault(session) ?? [];

    private IEnumerable<LiveViewer> Everybody(string session) => _everywhere.Concat(Watching(session)).Distinct();

    private void TellTraces(PayloadTold told, TraceBatch batch)
    {
        if (!_shown.TryGetValue(batch.SessionId, out Shown? shown))
        {
            _shown[batch.SessionId] = shown = new Shown();
        }
        long second = Context.Time.GetUtcNow().ToUnixTimeSeconds();
        int most = Math.Clamp(MostTracesToAllPerSecond / Math.Max(1, Watching(batch.SessionId).Count), FewestTracesPerSecond, MostTracesPerSecond);
        int room = shown.Room(second, batch.Trace.Count, most);
        TraceBatch first = new() { SessionId = batch.SessionId, BaseNs = batch.BaseNs };
        first.Text.AddRange(batch.Text);
        first.Trace.AddRange(batch.Trace.Take(room));
        foreach (TraceRecord trace in Decoded(first))
        {
            long of = shown.Next();
            Tell(Watching(batch.SessionId), new TraceLine(batch.SessionId, told.NodeId, told.NodeName, 1, of, JsonSerializer.SerializeToNode(WithoutPayload(trace), TraceJson.Default.TraceRecord)));
            if (trace.Events is [.., var last])
            {
                Tell(Watching(batch.SessionId), new PacketEventLine(batch.SessionId, told.NodeName, last.FuncName, last.Layer, trace.FinalVerdict, last.Timestamp, trace.ProtocolName, trace.SrcIp, trace.SrcPort, trace.DstIp, trace.DstPort, 1, trace.Events.Count * of));
            }
        }
        shown.Skip(batch.Trace.Count - room);
    }

    /// <summary>Viewers have every role: bytes of payload are not for all.</summary>
    private static TraceRecord WithoutPayload(TraceRecord trace) => trace.In?.Payload is null && trace.Out?.Payload is null ? trace : trace with
    {
        In = trace.In is { } came ? came with { Payload = null } : null,
        Out = trace.Out is { } left ? left with { Payload = null } : null,
    };

    /// <summary>One that cannot be read is stored as it came: whoever looks there is told. Here nothing is shown of it.</summary>
    private static IReadOnlyList<TraceRecord> Decoded(TraceBatch batch)
    {
        try
        {
            return [.. TraceBatchCodec.Decode(batch)];
        }
        catch (InvalidDataException)
        {
            return [];
        }
    }

    private void Forget(LiveViewer viewer)
    {
        _everywhere.Remove(viewer);
        foreach ((string session, HashSet<LiveViewer> viewers) in _watching)
        {
            viewers.Remove(viewer);
            if (viewers.Count == 0)
            {
                _watching.Remove(session);
                _shown.Remove(session);
            }
        }
    }

    private static void Tell<T>(IEnumerable<LiveViewer> viewers, T message)
    {
        byte[]? text = null;
        foreach (LiveViewer viewer in viewers)
        {
            viewer.Offer(text ??= JsonSerializer.SerializeToUtf8Bytes(message, ApiJson.Options));
        }
    }

    /// <summary>How much of a session is shown.</summary>
    private sealed class Shown
    {
        private long _second;
        private int _left;
        private long _skipped;

        public int Room(long second, int wanted, int most)
        {
            if (second != _second)
            {
                (_second, _left) = (second, most);
            }
            int room = Math.Min(_left, wanted);
            _left -= room;
            return room;
        }

        public void Skip(int traces) => _skipped += traces;

        /// <summary>One is shown: of so many, itself and those that were not since the last.</summary>
        public long Next()
        {
            long of = 1 + _skipped;
            _skipped = 0;
            return of;
        }
    }
}
