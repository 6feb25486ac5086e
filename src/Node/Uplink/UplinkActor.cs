using NftCluster.Actors;
using NftCluster.Messages;
using NftCluster.Messages.Link;
using NftCluster.Node.Agent;
using NftCluster.Node.Spool;

namespace NftCluster.Node.Uplink;

/// <summary>
/// The node's half of the link. (1) connect, (2) Hello, (3) Welcome: forget what is committed, (4) Observed, heartbeats, data within the
/// credit, (5) Ack: forget; and when the connection is gone, again from (1) after a jittered wait.
/// </summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001", Justification = "An actor's end is PostStopAsync: it disposes.")]
internal sealed class UplinkActor(UplinkOptions options, NodeIdentity identity, ActorRef<SpoolMessage> spool, ActorRef<AgentMessage> agent, ulong epoch, Action<string> say) : Actor<UplinkMessage>
{
    private const int SilentBeats = 4;
    private static readonly TimeSpan _welcomePatience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan _spoolPatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan _certificateLook = TimeSpan.FromHours(1);

    private readonly BackOff _backOff = new(Random.Shared, options.FirstWait, options.MostWait);
    private readonly LinkDialer _dialer = new(options, identity, say);
    private readonly LinkWindow _window = new();
    private readonly Heartbeats _beats = new();
    private readonly CancellationTokenSource _stop = new();
    private Task _work = Task.CompletedTask;
    private LinkSocket? _socket;
    private ulong _epoch = epoch;
    private int _attempt;
    private bool _isWelcome;
    private bool _isHeld;
    private bool _isRenewalAsked;
    private long? _renewalAskedAt;
    private ulong _acknowledged;
    private Observed? _observed;
    private string? _lastError;
    private VitalsNow? _vitals;

    private long NowNs => TraceTime.UnixNs(Context.Time.GetUtcNow());

    protected override ValueTask PreStartAsync()
    {
        ActorRef<UplinkMessage> self = Context.Self;
        spool.Tell(new NotifyGrowth(() => self.Tell(new SpoolGrown())));
        Timers.StartPeriodic(nameof(LookAtCertificate), new LookAtCertificate(), _certificateLook);
        self.Tell(new Connect());
        return default;
    }

    protected override async ValueTask ReceiveAsync(UplinkMessage message)
    {
        switch (message)
        {
            case Connect:
                BeginConnect();
                break;
            case Connected { Attempt: var attempt } connected when attempt == _attempt:
                Greet(connected.Socket);
                break;
            case ConnectFailed { Attempt: var attempt } failed when attempt == _attempt:
                TryLater(failed.Error, failed.IsFinal ? options.RefusedWait : null);
                break;
            case FrameReceived { Attempt: var attempt } received when attempt == _attempt && _socket is not null:
                await TakeAsync(received);
                break;
            case LinkEnded { Attempt: var attempt, Why: var why } when attempt == _attempt:
                await HangUpAsync(why, null);
                break;
            case SpoolGrown:
                await SendDataAsync();
                break;
            case ResumeSending:
                _isHeld = false;
                await HangUpAsync("sending again what the controller had no room for", TimeSpan.Zero);
                break;
            case BeatNow:
                await BeatAsync();
                break;
            case LookAtCertificate when _socket is not null && IsRenewalDue():
                await HangUpAsync("renewing the certificate", TimeSpan.Zero); // each connect renews what is due
                break;
            case TellObserved { Observed: var observed }:
                _observed = observed;
                Send(new NodeFrame { Observed = observed });
                break;
            case TellReply { Reply: var reply }:
                Send(new NodeFrame { Reply = reply });
                break;
            case VitalsNow vitals:
                _vitals = vitals;
                break;
            case GetUplinkStatus { ReplyTo: var asker }:
                asker.Tell(new UplinkStatus(_isWelcome, _acknowledged, _window.UnderWay, _lastError));
                break;
        }
    }

    protected override async ValueTask PostStopAsync()
    {
        await _stop.CancelAsync();
        await _work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_socket is not null)
        {
            await _socket.DisposeAsync();
        }
        _stop.Dispose();
    }

    private bool IsRenewalDue() => identity.RenewAfter != default && Context.Time.GetUtcNow() >= identity.RenewAfter;

    private void BeginConnect()
    {
        if (_socket is not null)
        {
            return;
        }
        if (!_work.IsCompleted)
        {
            Timers.StartSingle(nameof(Connect), new Connect(), options.FirstWait); // the last try has told its end, but is not quite over
            return;
        }
        int attempt = ++_attempt;
        ActorRef<UplinkMessage> self = Context.Self;
        TimeProvider time = Context.Time;
        bool renew = _isRenewalAsked || IsRenewalDue();
        _isRenewalAsked = false;
        _work = Task.Run(() => _dialer.DialAsync(self, attempt, renew, time, _stop.Token));
    }

    private void Greet(LinkSocket socket)
    {
        _socket = socket;
        ActorRef<UplinkMessage> self = Context.Self;
        TimeProvider time = Context.Time;
        int attempt = _attempt;
        socket.Start(
            frame => self.Tell(new FrameReceived(frame, TraceTime.UnixNs(time.GetUtcNow()), attempt)),
            why => self.Tell(new LinkEnded(why, attempt)));
        Send(new NodeFrame { Hello = NodeFrames.Hello(options, _epoch, _observed) });
        _beats.Begin();
        Timers.StartSingle(nameof(BeatNow), new BeatNow(), _welcomePatience);
    }

    private async ValueTask TakeAsync(FrameReceived received)
    {
        _beats.Heard();
        switch (received.Frame.FrameCase)
        {
            case ControllerFrame.FrameOneofCase.Welcome:
                await EnterAsync(received.Frame.Welcome);
                break;
            case ControllerFrame.FrameOneofCase.Ack:
                Ack ack = received.Frame.Ack;
                _acknowledged = ack.Sequence;
                _window.Acknowledged(ack.Epoch, ack.Sequence, ack.CreditBytes);
                await spool.TellAsync(new FramesCommitted([(ack.Epoch, ack.Sequence)]));
                await SendDataAsync();
                break;
            case ControllerFrame.FrameOneofCase.Desired:
                await agent.TellAsync(new DesiredReceived(received.Frame.Desired));
                break;
            case ControllerFrame.FrameOneofCase.Request when received.Frame.Request.KindCase == Request.KindOneofCase.RenewCertificate:
                await AskedToRenewAsync(received.Frame.Request);
                break;
            case ControllerFrame.FrameOneofCase.Request:
                await agent.TellAsync(new RequestReceived(received.Frame.Request));
                break;
            case ControllerFrame.FrameOneofCase.HeartbeatEcho:
                _beats.Echoed(received.Frame.HeartbeatEcho, received.ReceivedNs);
                break;
            case ControllerFrame.FrameOneofCase.Refusal:
                await RefusedAsync(received.Frame.Refusal);
                break;
        }
    }

    /// <summary>The CA is being replaced. Once an hour is enough: a renewal that fails must not become a circle.</summary>
    private async ValueTask AskedToRenewAsync(Request request)
    {
        if (_renewalAskedAt is { } before && Context.Time.GetElapsedTime(before) < _certificateLook)
        {
            Send(new NodeFrame { Reply = new Reply { Id = request.Id, Error = "tried less than an hour ago" } });
            return;
        }
        _renewalAskedAt = Context.Time.GetTimestamp();
        _isRenewalAsked = true;
        await HangUpAsync("the controller asks for a renewal of the certificate", TimeSpan.Zero);
    }

    private async ValueTask EnterAsync(Welcome welcome)
    {
        if (welcome.Protocol is < NodeFrames.OldestProtocol or > NodeFrames.NewestProtocol)
        {
            await HangUpAsync($"the controller speaks version {welcome.Protocol} of the link, this node {NodeFrames.OldestProtocol} to {NodeFrames.NewestProtocol}: upgrade the older one", options.RefusedWait);
            return;
        }
        _isWelcome = true;
        _lastError = null;
        _backOff.Reset();
        _window.Begin(welcome.CreditBytes);
        say($"connected to {options.Controller} as {welcome.NodeId} (controller {welcome.ControllerVersion})");
        if (welcome.Committed.Count > 0)
        {
            await spool.TellAsync(new FramesCommitted([.. welcome.Committed.Select(c => (c.Epoch, c.Sequence))]));
        }
        if (_observed is { } observed)
        {
            Send(new NodeFrame { Observed = observed });
        }
        Timers.Cancel(nameof(BeatNow));
        Timers.StartPeriodic(nameof(BeatNow), new BeatNow(), TimeSpan.FromMilliseconds(welcome.HeartbeatMs is >= 100 and <= 60_000 ? welcome.HeartbeatMs : 5_000));
        await BeatAsync();
        await SendDataAsync();
    }

    private async ValueTask SendDataAsync()
    {
        while (_isWelcome && !_isHeld && _socket is not null && _window.Fits(1))
        {
            FramesTaken taken;
            try
            {
                taken = await spool.AskAsync<FramesTaken>(reply => new TakeFrames(_window.LastId, _window.Room, reply), _spoolPatience, _stop.Token);
            }
            catch (TimeoutException)
            {
                return; // a disk that stands still: what it has is told when it goes on
            }
            foreach (SpoolFrame frame in taken.Frames)
            {
                if (!_window.Fits(frame.Payload.Bytes.Length))
                {
                    return; // the next acknowledgement makes room
                }
                Send(new NodeFrame { Data = NodeFrames.Data(frame) });
                _window.Sent(frame.Id, frame.Epoch, frame.Sequence, frame.Payload.Bytes.Length);
            }
            if (taken.Frames.Count == 0)
            {
                return;
            }
        }
    }

    private async ValueTask BeatAsync()
    {
        if (!_isWelcome)
        {
            await HangUpAsync("the controller did not answer Hello in time", null);
            return;
        }
        if (_beats.Silent >= SilentBeats)
        {
            await HangUpAsync("nothing heard from the controller for several heartbeats", null);
            return;
        }
        SpoolLevelNow? level = null;
        try
        {
            level = await spool.AskAsync<SpoolLevelNow>(reply => new GetSpoolLevel(reply), _spoolPatience, _stop.Token);
        }
        catch (TimeoutException)
        {
            // The disk stands still: the heartbeat goes without the level.
        }
        Send(new NodeFrame { Heartbeat = NodeFrames.Filled(_beats.Next(NowNs), _vitals, level) });
    }

    private async ValueTask RefusedAsync(Refusal refusal)
    {
        string text = refusal.Text.Length > 0 ? refusal.Text.ReplaceLineEndings(" ") : refusal.Reason.ToString();
        TimeSpan? wait = refusal.RetryAfterMs > 0 ? TimeSpan.FromMilliseconds(refusal.RetryAfterMs) : null;
        switch (refusal.Reason)
        {
            case Refusal.Types.Reason.Full:
                _isHeld = true;
                say($"the controller takes no data: {text}; the spool holds it");
                Timers.StartSingle(nameof(ResumeSending), new ResumeSending(), wait ?? options.MostWait);
                break;
            case Refusal.Types.Reason.Conflict:
                _epoch = await spool.AskAsync<ulong>(reply => new RenumberFrames(reply), _spoolPatience, _stop.Token);
                await HangUpAsync($"the controller has other content under this node's numbers ({text}): was this host rolled back to a snapshot? It goes on under new numbers", wait ?? TimeSpan.Zero);
                break;
            case Refusal.Types.Reason.Revoked or Refusal.Types.Reason.Protocol:
                await HangUpAsync($"the controller refuses this node: {text}", wait ?? options.RefusedWait);
                break;
            default:
                await HangUpAsync($"the controller ends the connection: {text}", wait);
                break;
        }
    }

    private void Send(NodeFrame frame)
    {
        if (_socket is not null && (_isWelcome || frame.FrameCase == NodeFrame.FrameOneofCase.Hello) && !_socket.TrySend(frame))
        {
            Context.Self.Tell(new LinkEnded("the connection takes nothing any more", _attempt));
        }
    }

    private async ValueTask HangUpAsync(string why, TimeSpan? wait)
    {
        _attempt++; // whatever the old connection still tells is not heard
        if (_socket is { } socket)
        {
            _socket = null;
            await socket.DisposeAsync();
        }
        TryLater(why, wait);
    }

    private void TryLater(string why, TimeSpan? wait)
    {
        bool isNew = _isWelcome || _lastError != why;
        _isWelcome = false;
        _isHeld = false;
        _lastError = why;
        Timers.Cancel(nameof(BeatNow));
        Timers.Cancel(nameof(ResumeSending));
        Timers.StartSingle(nameof(Connect), new Connect(), wait ?? _backOff.Next());
        if (isNew)
        {
            say($"not connected: {why}; trying again");
        }
    }
}
