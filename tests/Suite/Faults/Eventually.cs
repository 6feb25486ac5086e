namespace NftCluster.Tests.Faults;

/// <summary>Waits for what another process or the kernel does in its own time: asks again and again, never longer than stated.</summary>
internal static class Eventually
{
    /// <summary>Only a failing test ever waits so long; a loaded machine starts a process in many seconds.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private static readonly TimeSpan _period = TimeSpan.FromMilliseconds(10);

    public static async Task HoldsAsync(Func<bool> condition, Func<string> otherwise)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(Patience);
        using PeriodicTimer timer = new(_period);
        while (!condition())
        {
            try
            {
                await timer.WaitForNextTickAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"not within {Patience.TotalSeconds} s: {otherwise()}");
            }
        }
    }
}
