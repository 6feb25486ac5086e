using System.Text.Json;
using System.Text.Json.Serialization;
using Google.Protobuf;
using NftCluster.Messages.Link;
using NftCluster.Node.Kernel;

namespace NftCluster.Node.Agent;

/// <summary>Answers what the controller asks about this node.</summary>
internal static class NodeAnswers
{
    public static async Task<Reply> AnswerAsync(Request request, AgentOptions options, KernelHosts hosts)
    {
        Reply reply = new() { Id = request.Id };
        try
        {
            switch (request.KindCase)
            {
                case Request.KindOneofCase.Probes:
                    reply.Json = ByteString.CopyFrom(await ProbesAsync(options, hosts));
                    break;
                default:
                    reply.Error = $"this version of the node does not answer '{request.KindCase}'";
                    break;
            }
        }
        catch (KernelException refused)
        {
            reply.Error = refused.Message.ReplaceLineEndings(" ");
        }
        return reply;
    }

    /// <summary>Attached for the answer when no session has done so already.</summary>
    private static async Task<byte[]> ProbesAsync(AgentOptions options, KernelHosts hosts)
    {
        (string key, Sessions.NodeHost host) = hosts.Rent("all", options.Netns);
        try
        {
            Sessions.ProbeListing listing = await host.ProbesAsync(CancellationToken.None);
            ProbeAnswer[] rows = [.. listing.Probes.Select(p => new ProbeAnswer(
                p.Definition.QualifiedName, p.Definition.Layer, p.Backend is { } backend ? Backends.NameOf(backend) : null, p.WhyNot))];
            return JsonSerializer.SerializeToUtf8Bytes(rows, ProbeAnswerJson.Default.ProbeAnswerArray);
        }
        finally
        {
            await hosts.ReturnAsync(key);
        }
    }
}

/// <summary>One row of the catalog on this node: attached how, or why not.</summary>
internal sealed record ProbeAnswer(string Name, string Layer, string? Backend, string? WhyNot);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ProbeAnswer[]))]
internal sealed partial class ProbeAnswerJson : JsonSerializerContext;
