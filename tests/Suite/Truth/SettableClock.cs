namespace NftCluster.Tests.Truth;

/// <summary>A program's own wall clock, by libfaketime: the real one plus what the file says. CLOCK_MONOTONIC stays the kernel's.</summary>
internal sealed class SettableClock
{
    private const string Library = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

    private readonly string _file;

    public SettableClock(string file)
    {
        Assert.True(File.Exists(Library), $"{Library} is missing: apt-get install libfaketime");
        _file = file;
        Set(0);
    }

    /// <summary>A command line that comes before the program's.</summary>
    public string[] Environment => ["env", $"LD_PRELOAD={Library}", $"FAKETIME_TIMESTAMP_FILE={_file}", "FAKETIME_CACHE_DURATION=1", "FAKETIME_DONT_FAKE_MONOTONIC=1"];

    /// <summary>The program sees it within a second.</summary>
    public void Set(int offsetSeconds)
    {
        // Replaced, not written: nobody reads half of it.
        File.WriteAllText($"{_file}.new", $"{offsetSeconds:+0;-0;+0}");
        File.Move($"{_file}.new", _file, overwrite: true);
    }
}
