using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using NftCluster.Controller.Cluster;
using NftCluster.Controller.Storage;

namespace NftCluster.Controller.Sessions;

/// <summary>One stream of the journal in its own words. Its owner is the only writer: another one that got in between is a broken invariant.</summary>
internal sealed class EventStream<TEvent>(Journal journal, string name, JsonTypeInfo<TEvent> json)
    where TEvent : class
{
    public long Version { get; private set; }

    public async Task<IReadOnlyList<TEvent>> ReadAsync()
    {
        JournalStream stream = await journal.ReadAsync(name, CancellationToken.None);
        Version = stream.Version;
        return [.. stream.Events.Select(stored => JsonSerializer.Deserialize(stored.Json, json) ?? throw new JsonException($"{name}: an event is null"))];
    }

    /// <summary>Durable when it returns. Throws <see cref="StorageException"/> where nothing can be written: then nothing has happened.</summary>
    public async Task AppendAsync(TEvent happened, DateTimeOffset at)
    {
        JournalEvent stored = new(happened.GetType().Name, JsonSerializer.Serialize(happened, json), NodeConnection.UnixNs(at));
        Version = await journal.AppendAsync(name, Version, [stored], CancellationToken.None)
            ?? throw new InvalidOperationException($"somebody else writes to stream {name} of the journal: does a second controller run on this state directory?");
    }
}
