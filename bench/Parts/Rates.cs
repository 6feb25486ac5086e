namespace NftCluster.Bench.Parts;

/// <summary>How a benchmark's time is to be read as a rate; set by its setup, which runs in this process.</summary>
internal static class Rates
{
    private static readonly Dictionary<string, (double Amount, string Unit)> _known = new(StringComparer.Ordinal);

    /// <summary>One operation of this benchmark handles so much of that unit.</summary>
    public static void Set(string type, string benchmark, double amountPerOperation, string unit) =>
        _known[$"{type}.{benchmark}"] = (amountPerOperation, unit);

    public static string Of(string benchmark, double nanosecondsPerOperation) =>
        _known.TryGetValue(benchmark, out (double Amount, string Unit) rate)
            ? $"{rate.Amount * 1e9 / nanosecondsPerOperation:N0} {rate.Unit}"
            : "";
}
