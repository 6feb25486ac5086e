using NftCluster.Actors;
using NftCluster.TestKit;

namespace NftCluster.Tests.Actors;

public sealed class AskTests
{
    private static readonly TimeSpan _timeout = TimeSpan.FromSeconds(3);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_first_reply_is_the_answer_and_further_ones_are_dead_letters()
    {
        await using ActorTestSystem test = new();
        ActorRef<Question> actor = test.Spawn("oracle", () => new ScriptedActor<Question>
        {
            OnMessage = (_, question) =>
            {
                Assert.True(question.ReplyTo.Tell(question.Text.Length));
                Assert.False(question.ReplyTo.Tell(-1));
            },
        });

        int answer = await actor.AskAsync<int>(reply => new Question("four", reply), _timeout, Token).WithPatience("the answer");

        Assert.Equal(4, answer);
        Assert.Equal(-1, (await test.ExpectDeadLetterAsync()).Message);
    }

    [Fact]
    public async Task An_ask_times_out_by_the_systems_clock_and_a_late_reply_is_a_dead_letter()
    {
        await using ActorTestSystem test = new();
        TestProbe<Question> silent = new(test.System);

        Task<int> asking = silent.Ref.AskAsync<int>(reply => new Question("?", reply), _timeout, Token);
        Question question = await silent.ExpectMessageAsync();
        Assert.False(asking.IsCompleted);
        test.Time.Advance(_timeout);
        TimeoutException error = await Assert.ThrowsAsync<TimeoutException>(() => asking.WithPatience("the ask ends"));

        Assert.Contains("/probe did not reply", error.Message, StringComparison.Ordinal);
        Assert.False(question.ReplyTo.Tell(42));
        Assert.Equal(42, (await test.ExpectDeadLetterAsync()).Message);
    }

    [Fact]
    public async Task An_ask_can_be_cancelled_and_a_late_reply_is_a_dead_letter()
    {
        await using ActorTestSystem test = new();
        using CancellationTokenSource cancellation = new();
        TestProbe<Question> silent = new(test.System);

        Task<int> asking = silent.Ref.AskAsync<int>(reply => new Question("?", reply), _timeout, cancellation.Token);
        Question question = await silent.ExpectMessageAsync();
        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking.WithPatience("the ask ends"));
        Assert.False(question.ReplyTo.Tell(42));
        Assert.Equal(1, test.System.DeadLetters);
    }

    [Fact]
    public async Task An_ask_cancelled_beforehand_tells_nothing()
    {
        await using ActorTestSystem test = new();
        TestProbe<Question> silent = new(test.System);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => silent.Ref.AskAsync<int>(reply => new Question("?", reply), _timeout, new CancellationToken(canceled: true)));

        await silent.ExpectNoMessageAsync();
    }

    [Fact]
    public async Task Asking_a_stopped_actor_fails_at_once()
    {
        await using ActorTestSystem test = new();
        ActorRef<Question> gone = test.Spawn("gone", () => new ScriptedActor<Question>());
        gone.Stop();
        await gone.WhenStopped.WithPatience("it stops");

        InvalidOperationException error = await Assert.ThrowsAsync<InvalidOperationException>(
            () => gone.AskAsync<int>(reply => new Question("?", reply), _timeout, Token));

        Assert.Contains("/gone did not accept", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task When_reply_and_time_out_race_the_reply_is_either_the_answer_or_a_dead_letter()
    {
        await using ActorTestSystem test = new();
        TestProbe<Question> silent = new(test.System);
        long answers = 0;
        const int Rounds = 300;
        for (int round = 0; round < Rounds; round++)
        {
            Task<int> asking = silent.Ref.AskAsync<int>(reply => new Question("?", reply), _timeout, Token);
            Question question = await silent.ExpectMessageAsync();
            Task<bool> replying = Task.Run(() => question.ReplyTo.Tell(1), Token);
            test.Time.Advance(_timeout);

            bool taken = await replying;
            await ((Task)asking).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            Assert.Equal(taken, asking.IsCompletedSuccessfully);
            answers += taken ? 1 : 0;
        }

        Assert.Equal(Rounds, answers + test.System.DeadLetters);
    }

    [Fact]
    public async Task Who_watches_a_reply_address_hears_of_its_end()
    {
        await using ActorTestSystem test = new();
        TestProbe<string> probe = new(test.System);
        ActorRef<Question> actor = test.Spawn("oracle", () => new ScriptedActor<Question>
        {
            OnMessage = (self, question) =>
            {
                if (question.Text == "end")
                {
                    probe.Ref.Tell("asker gone");
                    return;
                }

                self.Context.WatchWith(question.ReplyTo, new Question("end", question.ReplyTo));
                question.ReplyTo.Tell(1);
            },
        });

        await actor.AskAsync<int>(reply => new Question("?", reply), _timeout, Token).WithPatience("the answer");

        await probe.ExpectMessagesAsync("asker gone");
    }

    private sealed record Question(string Text, ActorRef<int> ReplyTo);
}
