using NftCluster.Actors;

namespace NftCluster.Node.Uplink;

/// <summary>One try to connect: renews the certificate first where that is due, and tells the uplink what came of it.</summary>
internal sealed class LinkDialer(UplinkOptions options, NodeIdentity identity, Action<string> say)
{
    public async Task DialAsync(ActorRef<UplinkMessage> uplink, int attempt, bool renew, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            if (renew)
            {
                await RenewAsync(time, cancellationToken);
            }
            LinkSocket socket = await LinkSocket.ConnectAsync(options.Controller, identity, time, cancellationToken);
            if (!uplink.Tell(new Connected(socket, attempt)))
            {
                await socket.DisposeAsync();
            }
        }
        catch (UplinkException failure)
        {
            uplink.Tell(new ConnectFailed(failure.Message, failure.IsFinal, attempt));
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or System.Security.Cryptography.CryptographicException)
        {
            uplink.Tell(new ConnectFailed($"the node's identity cannot be used: {failure.Message.ReplaceLineEndings(" ")}", IsFinal: true, attempt));
        }
    }

    /// <summary>A certificate that could not be renewed is still one: the connection is tried with it, and the renewal at the next one.</summary>
    private async Task RenewAsync(TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            await new Enrollment(identity, time).RenewAsync(options.Controller, options.Name, cancellationToken);
            say("the certificate was renewed");
        }
        catch (UplinkException failure)
        {
            say($"the certificate was not renewed: {failure.Message}");
        }
    }
}
