using NftCluster.Controller.Export;
using NftCluster.Controller.Hosting;
using NftCluster.Controller.Sessions;
using NftCluster.Controller.Storage;
using NftCluster.Messages.Link;
using NftCluster.TestKit;
using NftCluster.Tests.Controller.Cluster;
using NftCluster.Tests.Controller.Storage;

namespace NftCluster.Tests.Controller.Export;

/// <summary>Sessions that run for weeks: files from time to time, each trace in one of them, and limits on the disk.</summary>
public sealed class RotationTests
{
    /// <summary>Less than the actors wait for each other: the clock goes on by so much while they ask.</summary>
    private static readonly TimeSpan _every = TimeSpan.FromSeconds(5);

    private readonly ManualTime _time = new();

    public RotationTests() => _time.SetUtcNow(new DateTimeOffset(2026, 1, 31, 14, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task Each_trace_is_in_one_part_and_a_time_without_traces_makes_none()
    {
        await using RunningController controller = await StartAsync(new RotationOptions(_every, 0));
        ClusterSessionView session = await controller.CreateAsync();
        Store(controller, session.Id, 1, 1, 2, 3);
        await PassUntilAsync(() => Parts(controller).Length == 1);
        _time.Advance(_every);
        _time.Advance(_every);
        Store(controller, session.Id, 2, 4, 5);
        await PassUntilAsync(() => Parts(controller).Length == 2);

        string[][] keys = [.. Parts(controller).Select(Keys)];

        Assert.Equal([3, 2], keys.Select(part => part.Length));
        Assert.Equal(5, keys.SelectMany(part => part).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public async Task What_a_killed_writer_left_goes_and_parts_stay()
    {
        await using RunningController controller = await StartAsync(new RotationOptions(_every, 0));
        ClusterSessionView session = await controller.CreateAsync();
        Store(controller, session.Id, 1, 1);
        await PassUntilAsync(() => Parts(controller).Length == 1);
        string unfinished = Parts(controller)[0] + ".0123";
        await File.WriteAllTextAsync(unfinished, "{", TestContext.Current.CancellationToken);
        Store(controller, session.Id, 2, 2);
        await PassUntilAsync(() => Parts(controller).Length == 2);

        Assert.False(File.Exists(unfinished));
    }

    [Fact]
    public async Task The_oldest_parts_go_where_there_is_no_room_but_never_the_newest()
    {
        await using RunningController controller = await StartAsync(new RotationOptions(_every, 1));
        ClusterSessionView session = await controller.CreateAsync();
        Store(controller, session.Id, 1, 1, 2, 3);
        await PassUntilAsync(() => Parts(controller).Length == 1);
        string first = Parts(controller)[0];
        Store(controller, session.Id, 2, 4);
        await PassUntilAsync(() => Parts(controller) is [var only] && only != first);

        Assert.Single(Keys(Parts(controller)[0]));
    }

    [Fact]
    public async Task A_session_is_stopped_by_its_limit_on_the_disk_and_says_so()
    {
        await using RunningController controller = await StartAsync(new RotationOptions(TimeSpan.Zero, 0));
        ClusterSessionView free = await controller.CreateAsync();
        ClusterSessionView limited = await controller.CreateAsync(new SessionRequest { Name = "limited", Limits = new SessionLimitsRequest { DiskBytes = 10 } });
        Store(controller, limited.Id, 1, 1, 2, 3);

        ClusterSessionView stopped = await RunningController.UntilAsync(() =>
        {
            _time.Advance(DiskLimitActor.Period);
            return controller.SessionAsync(limited.Id);
        }, view => view.StopReason is not null);

        Assert.StartsWith("stopped by its limit of 10 bytes on the controller's disk", stopped.StopReason, StringComparison.Ordinal);
        Assert.Null((await controller.SessionAsync(free.Id)).StopReason);
    }

    [Theory]
    [InlineData("0b3e.1-400.json", 1, 400)]
    [InlineData("0b3e.1-x.json", 0, 0)]
    [InlineData("0b3e.RUNNING.4.json", 0, 0)]
    public void Only_names_that_rotation_gives_are_parts(string name, long first, long last)
    {
        var part = ExportPart.Parse($"/x/{name}");

        Assert.Equal((first, last), (part?.FirstFrame ?? 0, part?.LastFrame ?? 0));
    }

    private Task<RunningController> StartAsync(RotationOptions rotation) => RunningController.StartAsync(time: _time, change: options => options with { Rotation = rotation });

    private Task<bool> PassUntilAsync(Func<bool> holds) => RunningController.UntilAsync(() =>
    {
        _time.Advance(_every);
        return Task.FromResult(holds());
    }, there => there);

    private static string[] Parts(RunningController controller) => Path.Combine(controller.StateDirectory, "exports", "parts") is var folder && Directory.Exists(folder)
        ? [.. Directory.GetFiles(folder, "*.json").Order(StringComparer.Ordinal)] : [];

    private static string[] Keys(string file)
    {
        using var document = System.Text.Json.JsonDocument.Parse(File.ReadAllText(file));
        Assert.False(document.RootElement.TryGetProperty("journeys", out _)); // of a part it cannot be said what became of a packet
        return [.. document.RootElement.GetProperty("traces").EnumerateArray().Select(trace => trace.GetProperty("key").GetString()!)];
    }

    private static void Store(RunningController controller, string session, ulong sequence, params int[] numbers)
    {
        using FrameWriter writer = new(Database.Open(controller.StateDirectory));
        writer.Commit([Frames.Of("n1", sequence, new Payload { Traces = TraceBatchCodec.Encode(session, [.. numbers.Select(Frames.Numbered)]) })]);
    }
}
