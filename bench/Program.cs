using NftCluster.Bench.Kernel;
using NftCluster.Bench.Parts;

return args switch
{
    ["parts"] => PartsCommand.Run(null),
    ["parts", var filter] => PartsCommand.Run(filter),
    ["empty", var probes, var readyFile] => EmptyCommand.Run(probes, readyFile),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("bench: give parts [filter], or empty PROBES READY-FILE (see docs/performance.md)");
    return 2;
}
