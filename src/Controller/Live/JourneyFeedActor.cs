using System.Text.Json;
using NftCluster.Actors;
using NftCluster.Controller.Api;
using NftCluster.Controller.Cluster;
using NftCluster.Controller.Sessions;
using NftCluster.Controller.Stitching;
using NftCluster.Controller.Storage;

namespace NftCluster.Controller.Live;

internal abstract record FeedMessage;

/// <summary>Asks to be told of this session's journeys, as far as traces are stored after the answer.</summary>
internal sealed record FollowJourneys(LiveViewer Viewer, string SessionId, ActorRef<Following> ReplyTo) : FeedMessage;

internal sealed record Following(string SessionId);

internal sealed record StopFollowing(LiveViewer Viewer) : FeedMessage;

internal sealed record FeedTick : FeedMessage;

/// <summary>
/// Joins again what is near to what was stored since the last look, once a second and only where somebody follows, and tells what has changed: late traces
/// change their journeys, and viewers see it. Shows up to so many a second; the others are counted in what is shown.
/// </summary>
internal sealed class JourneyFeedActor(ActorRef<ClusterMessage> cluster, TraceQueries traces, JourneyQueries journeys, Hosting.ControllerMetrics metrics) : Actor<FeedMessage>
{
    public const int MostPerSecond = 100;

    public static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, Followed> _followed = new(StringComparer.Ordinal);

    protected override async ValueTask ReceiveAsync(FeedMessage message)
    {
        switch (message)
        {
            case FollowJourneys { Viewer: var viewer, SessionId: var session, ReplyTo: var asker }:
                await FollowAsync(viewer, session);
                asker.Tell(new Following(session));
                break;
            case StopFollowing { Viewer: var viewer }:
                Forget(viewer);
                break;
            case FeedTick:
                await LookAsync();
                break;
        }
    }

    private async ValueTask FollowAsync(LiveViewer viewer, string session)
    {
        if (!_followed.TryGetValue(session, out Followed? followed))
        {
            _followed[session] = followed = new Followed { LastFrame = await LastAsync(session) };
        }
        followed.Viewers.Add(viewer);
        if (!Timers.IsActive(nameof(FeedTick)))
        {
            Timers.StartPeriodic(nameof(FeedTick), new FeedTick(), Period);
        }
    }

    private async ValueTask<long> LastAsync(string session)
    {
        try
        {
            return await traces.LastFrameAsync(session, CancellationToken.None);
        }
        catch (StorageException)
        {
            return 0; // what was stored before is shown, too
        }
    }

    private async ValueTask LookAsync()
    {
        try
        {
            IReadOnlyDictionary<string, string> names = await NodeNames.AskAsync(cluster, CancellationToken.None);
            foreach ((string session, Followed followed) in _followed)
            {
                int room = MostPerSecond;
                long forgotten = followed.Shown.Forgotten;
                followed.LastFrame = await journeys.ChangedAsync(session, followed.LastFrame, names, journey =>
                {
                    if (followed.Shown.Take(journey) is { } replaced)
                    {
                        followed.Skipped++;
                        if (room-- > 0)
                        {
                            Tell(followed, new JourneyLine(session, journey, replaced, 1, followed.Skipped));
                            followed.Skipped = 0;
                        }
                    }
                }, CancellationToken.None);
                metrics.JourneysForgotten.Add(followed.Shown.Forgotten - forgotten);
            }
        }
        catch (Exception later) when (later is TimeoutException or InvalidOperationException or StorageException)
        {
            // At the next look, with all that has come since.
        }
    }

    private void Forget(LiveViewer viewer)
    {
        foreach ((string session, Followed followed) in _followed)
        {
            followed.Viewers.Remove(viewer);
            if (followed.Viewers.Count == 0)
            {
                _followed.Remove(session);
            }
        }
        if (_followed.Count == 0)
        {
            Timers.Cancel(nameof(FeedTick));
        }
    }

    private static void Tell(Followed followed, JourneyLine line)
    {
        byte[] text = JsonSerializer.SerializeToUtf8Bytes(line, ApiJson.Options);
        foreach (LiveViewer viewer in followed.Viewers)
        {
            viewer.Offer(text);
        }
    }

    private sealed class Followed
    {
        public HashSet<LiveViewer> Viewers { get; } = [];

        public ShownJourneys Shown { get; } = new();

        /// <summary>Up to it all was looked at.</summary>
        public required long LastFrame { get; set; }

        public long Skipped { get; set; }
    }
}
