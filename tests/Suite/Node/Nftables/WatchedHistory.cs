using System.Collections.Concurrent;
using NftCluster.Node.Nftables;
using NftCluster.Tests.Faults;

namespace NftCluster.Tests.Node.Nftables;

/// <summary>A watcher with a history, owned by the test's thread: facts wait in a queue until the test takes them.</summary>
internal sealed class WatchedHistory : IDisposable
{
    private readonly ConcurrentQueue<RulesetFact> _facts = new();
    private readonly RulesetWatcher _watcher;

    public WatchedHistory(string netnsPath)
    {
        _watcher = new RulesetWatcher(netnsPath, _facts.Enqueue, new RulesetWatcherOptions());
        _watcher.Start();
    }

    public RulesetHistory History { get; } = new();

    public List<RulesetFact> Facts { get; } = [];

    public void Take()
    {
        while (_facts.TryDequeue(out RulesetFact? fact))
        {
            if (fact is not GenerationConfirmed)
            {
                Facts.Add(fact);
            }
            History.Apply(fact);
        }
    }

    public Task HoldsAsync(Func<RulesetHistory, bool> condition, string otherwise) => Eventually.HoldsAsync(
        () =>
        {
            Take();
            return condition(History);
        },
        () => $"{otherwise}: generation {History.Generation}, read {History.Current?.Generation}, {string.Join(" | ", Facts.OfType<WatchFailed>())} {string.Join(" | ", Facts.TakeLast(5))}");

    public void Dispose() => _watcher.Dispose();
}
