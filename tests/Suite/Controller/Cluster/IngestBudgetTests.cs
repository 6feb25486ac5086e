using NftCluster.Controller.Cluster;
using NftCluster.TestKit;

namespace NftCluster.Tests.Controller.Cluster;

public sealed class IngestBudgetTests
{
    private readonly IngestBudget _budget = new(100);

    [Fact]
    public async Task What_fits_is_let_in_and_what_does_not_waits_for_what_is_returned()
    {
        await _budget.TakeAsync(60, TestContext.Current.CancellationToken);
        Task second = _budget.TakeAsync(60, TestContext.Current.CancellationToken).AsTask();

        Assert.False(second.IsCompleted);
        _budget.Return(60);
        await second.WaitAsync(Patience.Default, TestContext.Current.CancellationToken);

        Assert.Equal(60, _budget.Used);
    }

    [Fact]
    public async Task Who_came_first_is_not_overtaken_by_a_smaller_one()
    {
        await _budget.TakeAsync(60, TestContext.Current.CancellationToken);
        Task large = _budget.TakeAsync(90, TestContext.Current.CancellationToken).AsTask();
        Task small = _budget.TakeAsync(10, TestContext.Current.CancellationToken).AsTask();

        Assert.False(small.IsCompleted);
        _budget.Return(60);
        await Task.WhenAll(large, small).WaitAsync(Patience.Default, TestContext.Current.CancellationToken);

        Assert.Equal(100, _budget.Used);
    }

    [Fact]
    public async Task More_than_the_whole_budget_is_let_in_alone() => await _budget.TakeAsync(500, TestContext.Current.CancellationToken);

    [Fact]
    public async Task A_lane_that_ends_while_it_waits_holds_up_nobody()
    {
        using CancellationTokenSource end = new();
        await _budget.TakeAsync(100, TestContext.Current.CancellationToken);
        Task gone = _budget.TakeAsync(50, end.Token).AsTask();
        Task next = _budget.TakeAsync(40, TestContext.Current.CancellationToken).AsTask();

        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone);
        _budget.Return(100);
        await next.WaitAsync(Patience.Default, TestContext.Current.CancellationToken);

        Assert.Equal(40, _budget.Used);
    }
}
