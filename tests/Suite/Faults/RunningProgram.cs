using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace NftCluster.Tests.Faults;

/// <summary>The built <c>nftcluster</c>, run as a user runs it: by arguments, signals, outputs and exit code.</summary>
internal sealed partial class RunningProgram : IDisposable
{
    public const int HangUp = 1;
    public const int Interrupt = 2;
    public const int Terminate = 15;
    public const int Stop = 19;
    public const int Continue = 18;

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output = new();
    private readonly ConcurrentQueue<string> _errors = new();

    private RunningProgram(ProcessStartInfo start)
    {
        start.UseShellExecute = false;
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Keep(_output, line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(_errors, line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        _process.StandardInput.Close();
    }

    /// <summary>Built beside this assembly, in the same configuration.</summary>
    public static string Executable { get; } =
        Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", "NftCluster.Cli", new DirectoryInfo(AppContext.BaseDirectory).Name, "nftcluster"));

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public IReadOnlyCollection<string> Output => _output;

    public IReadOnlyCollection<string> Errors => _errors;

    public static RunningProgram Start(params string[] arguments) => StartOther(Executable, arguments);

    /// <summary>Another program (a shell, unshare) that runs ours.</summary>
    /// <remarks>With every signal as a terminal's shell leaves it: who runs the tests in the background ignores some, and children inherit that.</remarks>
    public static RunningProgram StartOther(string program, params string[] arguments) =>
        new(new ProcessStartInfo("env", ["--default-signal=HUP,INT,QUIT,TERM", program, .. arguments]));

    public static async Task<RunningProgram> FinishedAsync(params string[] arguments)
    {
        RunningProgram program = Start(arguments);
        await program.ExitAsync();
        return program;
    }

    public void Signal(int signal) => _ = kill(Id, signal);

    public void Kill() => _process.Kill();

    /// <summary>The exit code, once both outputs are read to their ends.</summary>
    public async Task<int> ExitAsync()
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(Eventually.Patience);
        try
        {
            await _process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"did not end within {Eventually.Patience.TotalSeconds} s: {Describe()}");
        }
        return _process.ExitCode;
    }

    public Task SaysAsync(string text) => Eventually.HoldsAsync(
        () => _errors.Any(line => line.Contains(text, StringComparison.Ordinal)), () => $"no line on standard error with '{text}': {Describe()}");

    public string Describe() => $"output: {string.Join(" | ", _output.TakeLast(20))}; errors: {string.Join(" | ", _errors.TakeLast(20))}";

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }
        _process.Dispose();
    }

    private static void Keep(ConcurrentQueue<string> lines, string? line)
    {
        if (line is not null)
        {
            lines.Enqueue(line);
        }
    }

    [LibraryImport("libc.so.6")]
    private static partial int kill(int pid, int signal);
}
