using System.Diagnostics;
using NftCluster.Messages.Link;
using NftCluster.Node.Spool;
using NftCluster.TestKit;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Node.Spool;

public sealed class SpoolStoreTests : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly ManualTime _time = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Frames_are_numbered_from_1_without_holes_in_the_order_in_which_they_came()
    {
        using SpoolStore spool = Open();
        spool.Append([SpoolRig.Traces(1), SpoolRig.Traces(2)]);
        spool.Append([SpoolRig.Traces(3)]);

        IReadOnlyList<SpoolFrame> first = spool.Take(0, 1_500);
        IReadOnlyList<SpoolFrame> rest = spool.Take(first[^1].Id, long.MaxValue);

        Assert.Equal([1UL], first.Select(f => f.Payload.Hash));
        Assert.Equal([2UL, 3UL], rest.Select(f => f.Payload.Hash));
        Assert.Equal([1UL, 2UL, 3UL], first.Concat(rest).Select(f => f.Sequence));
        Assert.All(first.Concat(rest), f => Assert.Equal(spool.Epoch, f.Epoch));
    }

    [Fact]
    public void A_frame_larger_than_the_window_is_taken_alone()
    {
        using SpoolStore spool = Open();
        spool.Append([SpoolRig.Traces(1), SpoolRig.Traces(2)]);

        Assert.Single(spool.Take(0, 10));
    }

    [Fact]
    public void After_kill_9_a_frame_that_was_sent_has_its_old_number_and_bytes_and_the_others_new_ones()
    {
        using SpoolStore killed = Open();
        killed.Append([SpoolRig.Traces(1), SpoolRig.Traces(2)], ("desired", [1, 2, 3]));
        SpoolFrame sent = killed.Take(0, 10).Single();

        using SpoolStore next = new(Options() with { Directory = CopyAsKillLeavesIt() }, _time);
        IReadOnlyList<SpoolFrame> frames = next.Take(0, long.MaxValue);

        Assert.Equal((sent.Epoch, sent.Sequence), (frames[0].Epoch, frames[0].Sequence));
        Assert.Equal(sent.Payload.Bytes, frames[0].Payload.Bytes);
        Assert.Equal((next.Epoch, 1UL), (frames[1].Epoch, frames[1].Sequence));
        Assert.NotEqual(killed.Epoch, next.Epoch);
        Assert.Equal([1, 2, 3], next.Fact("desired"));
    }

    [Fact]
    public void What_is_committed_is_forgotten_up_to_there_and_in_its_epoch_only()
    {
        using SpoolStore spool = Open();
        spool.Append([SpoolRig.Traces(1), SpoolRig.Traces(2), SpoolRig.Traces(3)]);
        _ = spool.Take(0, long.MaxValue);

        spool.Forget([(spool.Epoch + 1, 3), (spool.Epoch, 2)]);

        Assert.Equal([3UL], spool.Take(0, long.MaxValue).Select(f => f.Payload.Hash));
        Assert.Equal((1_000, 1), (spool.Level.Bytes, spool.Level.Frames));
    }

    [Fact]
    public void What_comes_after_everything_was_forgotten_comes_after_the_last()
    {
        using SpoolStore spool = Open();
        spool.Append([SpoolRig.Traces(1)]);
        SpoolFrame first = spool.Take(0, long.MaxValue).Single();
        spool.Forget([(first.Epoch, first.Sequence)]);
        spool.Append([SpoolRig.Traces(2)]);

        SpoolFrame second = Assert.Single(spool.Take(first.Id, long.MaxValue));
        Assert.Equal((first.Epoch, 2UL, 2UL), (second.Epoch, second.Sequence, second.Payload.Hash));
    }

    [Fact]
    public void Beyond_the_bound_of_bytes_the_oldest_goes_and_one_loss_record_with_its_count_and_times_takes_its_place()
    {
        using SpoolStore spool = Open(Options() with { MostBytes = 10_000 });
        for (int second = 1; second <= 25; second++)
        {
            spool.Append([SpoolRig.Traces(second, traces: 7)]);
        }

        IReadOnlyList<SpoolFrame> frames = spool.Take(0, long.MaxValue);

        Loss loss = Assert.Single(SpoolRig.Read(frames[0]).Losses.Loss);
        Assert.Equal(("spool-full", "traces", 15UL * 7), (loss.Stage, loss.Kind, loss.Count));
        Assert.Equal((1 * SpoolRig.Second, 15 * SpoolRig.Second + 1), (loss.FromNs, loss.ToNs));
        Assert.Equal(Enumerable.Range(16, 10).Select(s => (ulong)s), frames.Skip(1).Select(f => f.Payload.Hash));
        Assert.Equal(Enumerable.Range(1, 11).Select(s => (ulong)s), frames.Select(f => f.Sequence));
        Assert.Equal((105, 15), (spool.Level.DroppedTraces, spool.Level.DroppedFrames));
    }

    [Fact]
    public void A_frame_that_has_its_number_is_never_dropped_since_the_controller_may_have_it()
    {
        using SpoolStore spool = Open(Options() with { MostBytes = 3_000 });
        spool.Append([SpoolRig.Traces(1), SpoolRig.Traces(2)]);
        _ = spool.Take(0, long.MaxValue);
        for (int second = 3; second <= 9; second++)
        {
            spool.Append([SpoolRig.Traces(second)]);
        }

        IReadOnlyList<SpoolFrame> frames = spool.Take(0, long.MaxValue);

        Assert.Equal([1UL, 2UL], frames.Take(2).Select(f => f.Payload.Hash));
        Assert.Equal(6UL, SpoolRig.Read(frames[2]).Losses.Loss[0].Count);
        Assert.Equal(9UL, frames[3].Payload.Hash);
    }

    [Fact]
    public void What_is_too_old_goes_too()
    {
        using SpoolStore spool = Open(Options() with { MostAge = TimeSpan.FromHours(1) });
        spool.Append([SpoolRig.Traces(1)]);
        _time.Advance(TimeSpan.FromHours(2));

        spool.Prune();

        Assert.Equal(1UL, SpoolRig.Read(Assert.Single(spool.Take(0, long.MaxValue))).Losses.Loss[0].Count);
    }

    [Fact]
    public void Only_the_newest_report_of_a_session_waits()
    {
        using SpoolStore spool = Open();
        spool.Append([SpoolRig.Report("a", "STARTING"), SpoolRig.Report("b", "RUNNING")]);
        spool.Append([SpoolRig.Report("a", "RUNNING")]);

        Assert.Equal(["b RUNNING", "a RUNNING"], spool.Take(0, long.MaxValue).Select(f => SpoolRig.Read(f).Report).Select(r => $"{r.SessionId} {r.State}"), StringComparer.Ordinal);
    }

    [Fact]
    public void After_a_conflict_everything_gets_new_numbers_in_a_new_epoch()
    {
        using SpoolStore spool = Open();
        spool.Append([SpoolRig.Traces(1), SpoolRig.Traces(2)]);
        ulong old = spool.Epoch;
        _ = spool.Take(0, long.MaxValue);

        spool.BeginEpoch();

        Assert.NotEqual(old, spool.Epoch);
        Assert.Equal([(spool.Epoch, 1UL), (spool.Epoch, 2UL)], spool.Take(0, long.MaxValue).Select(f => (f.Epoch, f.Sequence)));
    }

    [Fact]
    public void A_second_node_with_the_same_state_directory_is_refused_in_one_line()
    {
        using SpoolStore first = Open();

        SpoolException refused = Assert.Throws<SpoolException>(() => Open());

        Assert.Contains("another node runs with this state directory", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_full_disk_is_one_line_and_what_was_there_can_still_be_sent_and_forgotten()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "mounting a small tmpfs needs root");
        Assert.SkipUnless(Run("mount", "-t", "tmpfs", "-o", "size=2m", "nftcluster-test", _directory.Path), "this machine lets nobody mount a tmpfs");
        try
        {
            using SpoolStore spool = Open();
            int kept = 0;
            SpoolException full = Assert.Throws<SpoolException>(() =>
            {
                for (; kept < 1_000; kept++)
                {
                    spool.Append([SpoolRig.Traces(kept, bytes: 50_000)]);
                }
            });

            Assert.Equal($"the disk of the spool {Options().File} is full", full.Message);
            Assert.Equal((kept, kept * 50_000), (spool.Level.Frames, spool.Level.Bytes));
        }
        finally
        {
            Assert.True(Run("umount", _directory.Path), "the tmpfs could not be unmounted");
        }
    }

    [Fact]
    public void The_file_belongs_to_its_owner_alone()
    {
        using SpoolStore spool = Open();

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Options().File));
    }

    private SpoolOptions Options() => new() { Directory = _directory.Path };

    private SpoolStore Open(SpoolOptions? options = null) => new(options ?? Options(), _time);

    /// <summary>The file and its log as they are now: what a process that dies leaves behind.</summary>
    private string CopyAsKillLeavesIt()
    {
        string copy = _directory.File("copy");
        Directory.CreateDirectory(copy);
        foreach (string file in Directory.GetFiles(_directory.Path))
        {
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        }
        return copy;
    }

    private static bool Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardError = true })!;
        return process.WaitForExit(TimeSpan.FromSeconds(20)) && process.ExitCode == 0;
    }
}
