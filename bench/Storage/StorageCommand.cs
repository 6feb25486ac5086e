using System.Diagnostics;
using NftCluster.Controller.Storage;
using NftCluster.Messages.Link;

namespace NftCluster.Bench.Storage;

/// <summary>
/// <c>storage [traces]</c>: frames from the bytes of the link to durable commits, then filtered pages of what is stored. In a directory
/// of its own below the temporary one, which is removed.
/// </summary>
internal static class StorageCommand
{
    private const int TracesPerFrame = 500;
    private const int FramesPerCommit = 10;
    private const int Distinct = 40; // frames made beforehand at once: making them is the node's work, not measured
    private const int Rounds = 40;

    public static async Task<int> RunAsync(int traces)
    {
        string directory = Directory.CreateTempSubdirectory("nftcluster-bench-").FullName;
        try
        {
            var database = Database.Open(directory);
            Ingest(database, traces / TracesPerFrame);
            Console.WriteLine($"file {new FileInfo(database.Path).Length / (1 << 20):N0} MiB, {new FileInfo(database.Path).Length / (double)traces:N0} B a trace");
            await QueryAsync(new TraceQueries(database));
            return 0;
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static void Ingest(Database database, int frames)
    {
        StorageFrames source = new(TracesPerFrame);
        using FrameWriter writer = new(database);
        Stopwatch busy = new();
        TimeSpan before = Process.GetCurrentProcess().TotalProcessorTime;
        TimeSpan processor = TimeSpan.Zero;
        for (int done = 0; done < frames; done += Distinct)
        {
            Data[] arriving = [.. Enumerable.Range(done + 1, Math.Min(Distinct, frames - done)).Select(sequence => source.Frame(1, (ulong)sequence))];
            before = Process.GetCurrentProcess().TotalProcessorTime;
            busy.Start();
            foreach (Data[] commit in arriving.Chunk(FramesPerCommit))
            {
                FramesCommitted outcome = writer.Commit(commit.Select(frame => StorageFrames.Arrive("n1", frame)));
                if (outcome.Conflicts.Count > 0)
                {
                    throw new InvalidOperationException(outcome.Conflicts[0].Text);
                }
            }
            busy.Stop();
            processor += Process.GetCurrentProcess().TotalProcessorTime - before;
        }
        double traces = (double)frames * TracesPerFrame;
        Console.WriteLine($"ingest {traces:N0} traces of ten events in {busy.Elapsed.TotalSeconds:N1} s: {traces / busy.Elapsed.TotalSeconds:N0} traces/s; {processor.TotalSeconds / traces * 1e6:N1} µs of processor a trace");
    }

    private static async Task QueryAsync(TraceQueries queries)
    {
        foreach ((string name, TraceField field, Func<int, string> value) in new (string, TraceField, Func<int, string>)[]
        {
            ("host", TraceField.Host, i => $"10.1.0.{2 + i}"),
            ("port", TraceField.Port, i => $"{20_000 + i}"),
            ("verdict", TraceField.Verdict, _ => "dropped"),
            ("function", TraceField.Function, _ => "ip_forward"),
            ("drop_reason", TraceField.DropReason, _ => "NO_SOCKET"),
            ("ip_id", TraceField.IpId, i => $"{i * 7}"),
            ("key", TraceField.Key, i => $"none/{i}"),
        })
        {
            double[] times = new double[Rounds];
            int found = 0;
            for (int i = 0; i < Rounds; i++)
            {
                var watch = Stopwatch.StartNew();
                TracePage page = await queries.FindAsync(
                    new TraceQuery { SessionId = StorageFrames.Session, Parts = [new QueryPart(field, [Term.Parse(field, value(i), out _)!.Value])], Limit = 100 }, CancellationToken.None);
                times[i] = watch.Elapsed.TotalMilliseconds;
                found += page.Traces.Count;
            }
            Array.Sort(times);
            Console.WriteLine($"query {name}: median {times[Rounds / 2]:N1} ms, worst of {Rounds} {times[^1]:N1} ms, {found / Rounds} traces a page");
        }
    }
}
