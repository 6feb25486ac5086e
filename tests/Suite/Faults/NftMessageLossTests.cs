using System.Globalization;
using Microsoft.Win32.SafeHandles;
using NftCluster.Node.Kernel;
using NftCluster.Node.Kernel.Native;
using NftCluster.Node.Kernel.Symbols;
using NftCluster.Tests.Lab;

namespace NftCluster.Tests.Faults;

/// <summary>
/// Our filter refuses each of nft's messages, so the socket never fills. Here the filter is taken off behind the tracer's back: the
/// messages stay, nobody reads them, and the kernel counts what it can no longer give to the socket.
/// </summary>
public sealed class NftMessageLossTests
{
    private const int Flood = 5_000;
    private const int GroupOfTraces = 1 << 8; // NFNLGRP_NFTRACE is the ninth

    [Fact]
    public void Messages_that_the_kernel_could_not_give_to_the_socket_are_counted()
    {
        Root.Required();
        using QuietNetwork network = new();
        using var tracer = KernelTracer.Attach(new TracerOptions { NetnsPath = network.Path }, KernelSymbols.LoadInBackground());
        Assert.SkipUnless(tracer.Probes.Any(probe => probe.Backend == Backend.NftNetlink), "nft's trace is not watched by netlink here");
        int bit = tracer.Reserve();
        tracer.Open(bit, new SessionFilter { Netns = NetworkNamespace.Inode(network.Path) }, []);
        network.Flood(Flood);
        Assert.Equal(0, tracer.Counts().NftMessagesLost);

        using (var socket = new SafeFileHandle(DescriptorOf(InodeOfTraceSocket(network.Path)), ownsHandle: false))
        {
            Detach(socket);
        }
        network.Flood(Flood);

        Assert.InRange(tracer.Counts().NftMessagesLost, 1, long.MaxValue);
    }

    private static unsafe void Detach(SafeFileHandle socket)
    {
        int none = 0;
        Assert.Equal(0, LibcSocket.setsockopt(socket, LibcSocket.SOL_SOCKET, LibcSocket.SO_DETACH_FILTER, &none, sizeof(int)));
    }

    /// <summary>sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode</summary>
    private static string InodeOfTraceSocket(string netnsPath) => NetworkNamespace.Run(netnsPath, () => File.ReadLines("/proc/thread-self/net/netlink")
        .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .Single(words => words[1] == "12" && (int.Parse(words[3], NumberStyles.HexNumber, CultureInfo.InvariantCulture) & GroupOfTraces) != 0)[9]);

    private static nint DescriptorOf(string inode) => nint.Parse(
        Path.GetFileName(Directory.EnumerateFileSystemEntries("/proc/self/fd").Single(entry => new FileInfo(entry).LinkTarget == $"socket:[{inode}]")),
        CultureInfo.InvariantCulture);
}
