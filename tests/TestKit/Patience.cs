namespace NftCluster.TestKit;

/// <summary>How long a test waits, in real time, for what must come. Only a failing test ever waits so long.</summary>
public static class Patience
{
    public static readonly TimeSpan Default = TimeSpan.FromSeconds(15);

    /// <summary>The same for a task that a test awaits outside a probe.</summary>
    public static async Task WithPatience(this Task task, string phase)
    {
        ArgumentNullException.ThrowIfNull(task);
        try
        {
            await task.WaitAsync(Default);
        }
        catch (TimeoutException error) when (!task.IsCompleted)
        {
            throw new TestProbeException($"{phase}: not done within {Default}.", error);
        }
    }

    public static async Task<TResult> WithPatience<TResult>(this Task<TResult> task, string phase)
    {
        await WithPatience((Task)task, phase);
        return await task;
    }
}
