using Microsoft.Extensions.Logging;

namespace NftCluster.Cli.Cluster;

/// <summary>The controller's log: one line each on standard error, for systemd's journal and for people.</summary>
internal sealed class LineLog(TextWriter error) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new Line(error, categoryName);

    public void Dispose()
    {
        // The writer is the process's own.
    }

    private sealed class Line(TextWriter error, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= (category.StartsWith("NftCluster", StringComparison.Ordinal) ? LogLevel.Information : LogLevel.Warning);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                string level = logLevel >= LogLevel.Warning ? $"{logLevel.ToString().ToLowerInvariant()}: " : "";
                string cause = exception is null ? "" : $": {exception.Message}";
                error.WriteLine($"nftcluster: {level}{(formatter(state, exception) + cause).ReplaceLineEndings(" ")}");
            }
        }
    }
}
