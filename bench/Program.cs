using NftCluster.Bench.Fleet;
using NftCluster.Bench.Kernel;
using NftCluster.Bench.Parts;
using NftCluster.Bench.Stitching;
using NftCluster.Bench.Storage;

return args switch
{
    ["parts"] => PartsCommand.Run(null),
    ["parts", var filter] => PartsCommand.Run(filter),
    ["storage"] => await StorageCommand.RunAsync(1_000_000),
    ["storage", var traces] when int.TryParse(traces, out int count) && count >= 1_000 => await StorageCommand.RunAsync(count),
    ["stitching", var records] when int.TryParse(records, out int most) && most >= 10_000 => StitchingCommand.Run(most),
    ["fleet", var program, var what, var count] when what is "ingest" or "viewers" or "reconnect" && int.TryParse(count, out int number) && number > 0 => await FleetCommand.RunAsync(program, what, number),
    ["empty", var probes, var readyFile] => EmptyCommand.Run(probes, readyFile),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("bench: give parts [filter], storage [traces], fleet PROGRAM ingest|viewers|reconnect COUNT, stitching RECORDS, or empty PROBES READY-FILE (see docs/performance.md)");
    return 2;
}
