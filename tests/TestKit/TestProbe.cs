using System.Threading.Channels;
using NftCluster.Actors;

namespace NftCluster.TestKit;

/// <summary>An actor that a test looks through: give its <see cref="Ref"/> to the actor under test, then expect.</summary>
public sealed class TestProbe<TMessage>
{
    private readonly Channel<TMessage> _arrived = Channel.CreateUnbounded<TMessage>();
    private readonly List<TMessage> _taken = [];

    public TestProbe(ActorSystem system, string name = "probe")
    {
        ArgumentNullException.ThrowIfNull(system);
        Ref = system.Spawn(name, () => new Recorder(_arrived.Writer), Mailbox.Wait(1 << 20));
    }

    public ActorRef<TMessage> Ref { get; }

    /// <summary>The next message, whatever it is.</summary>
    public async Task<TMessage> ExpectMessageAsync(string phase = "expect a message", TimeSpan? within = null)
    {
        TimeSpan patience = within ?? Patience.Default;
        using CancellationTokenSource guard = new(patience);
        try
        {
            TMessage message = await _arrived.Reader.ReadAsync(guard.Token);
            _taken.Add(message);
            return message;
        }
        catch (OperationCanceledException error)
        {
            throw new TestProbeException($"{phase}: {Ref} got no message within {patience}; before that it got {Received()}.", error);
        }
    }

    /// <summary>The next message; another than the expected one is a failure.</summary>
    public async Task<TMessage> ExpectMessageAsync(Predicate<TMessage> expected, string phase = "expect a certain message", TimeSpan? within = null)
    {
        ArgumentNullException.ThrowIfNull(expected);
        TMessage message = await ExpectMessageAsync(phase, within);
        return expected(message)
            ? message
            : throw new TestProbeException($"{phase}: {Ref} got another message than expected; it got {Received()}.");
    }

    /// <summary>The next messages, which must be these, in this order.</summary>
    public async Task ExpectMessagesAsync(params TMessage[] expected)
    {
        ArgumentNullException.ThrowIfNull(expected);
        foreach (TMessage one in expected)
        {
            await ExpectMessageAsync(got => EqualityComparer<TMessage>.Default.Equals(got, one), $"expect {one}");
        }
    }

    /// <summary>
    /// Nothing has come, and nothing is under way from <paramref name="senders"/>: each has handled what it had been told,
    /// in the order given, and this probe what they told it. Waits for no clock.
    /// </summary>
    public async Task ExpectNoMessageAsync(string phase = "expect no message", params ActorRef[] senders)
    {
        ArgumentNullException.ThrowIfNull(senders);
        foreach (ActorRef sender in senders)
        {
            await sender.FenceAsync().WithPatience($"{phase}: {sender} handles what it was told");
        }

        await Ref.FenceAsync().WithPatience($"{phase}: {Ref} handles what it was told");
        if (_arrived.Reader.TryRead(out TMessage? message))
        {
            _taken.Add(message);
            throw new TestProbeException($"{phase}: {Ref} got a message; it got {Received()}.");
        }
    }

    public async Task ExpectDeathAsync(ActorRef target, string phase = "expect death")
    {
        ArgumentNullException.ThrowIfNull(target);
        await target.WhenStopped.WithPatience($"{phase}: {target} stops; {Ref} got {Received()}");
    }

    private string Received() => _taken.Count == 0 ? "nothing" : $"[{string.Join(", ", _taken)}]";

    private sealed class Recorder(ChannelWriter<TMessage> arrived) : Actor<TMessage>
    {
        protected override ValueTask ReceiveAsync(TMessage message) => arrived.WriteAsync(message);
    }
}
