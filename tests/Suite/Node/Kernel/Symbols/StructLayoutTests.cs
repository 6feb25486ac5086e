using System.Diagnostics;
using NftCluster.Node.Kernel.Symbols;

namespace NftCluster.Tests.Node.Kernel.Symbols;

public sealed class StructLayoutTests : IDisposable
{
    private const string Source = """
        struct inner { unsigned short port; unsigned short pad; };
        struct sample {
            unsigned long long when;
            unsigned int matrix[2][3];
            struct inner both[2];
            union { unsigned int word; unsigned char bytes[4]; };
            unsigned char flags;
            unsigned char pad[3];
        };
        struct sample *keep_sample __attribute__((used));
        """;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("layout-");

    [Fact]
    public async Task An_object_s_struct_shows_size_offsets_and_array_lengths()
    {
        string path = await CompileAsync();

        var layout = StructLayout.OfObject(path, "sample");

        Assert.NotNull(layout);
        Assert.Equal(48, layout.Size);
        Assert.Equal(
            [
                new StructField("when", 0, 8, 8, 1),
                new StructField("matrix", 8, 24, 4, 6),
                new StructField("both", 32, 8, 4, 2),
                new StructField("word", 40, 4, 4, 1),
                new StructField("bytes", 40, 4, 1, 4),
                new StructField("flags", 44, 1, 1, 1),
                new StructField("pad", 45, 3, 1, 3),
            ],
            layout.Fields);
        Assert.Null(StructLayout.OfObject(path, "absent"));
    }

    public void Dispose() => _directory.Delete(recursive: true);

    private async Task<string> CompileAsync()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/clang"), "clang is not installed (apt-get install clang)");
        string source = Path.Combine(_directory.FullName, "sample.c");
        string target = Path.Combine(_directory.FullName, "sample.o");
        await File.WriteAllTextAsync(source, Source, TestContext.Current.CancellationToken);
        using var clang = Process.Start("/usr/bin/clang", ["-g", "-O2", "-target", "bpf", "-c", source, "-o", target]);
        await clang.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, clang.ExitCode);
        return target;
    }
}
