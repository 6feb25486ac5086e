using System.Text.Json;
using System.Text.Json.Serialization;
using Google.Protobuf;
using NftCluster.Messages.Link;
using NftCluster.Node.Kernel;
using NftCluster.Node.Nftables;
using NftCluster.Node.Nftables.Changes;

namespace NftCluster.Node.Agent;

/// <summary>Answers what the controller asks about this node.</summary>
internal static class NodeAnswers
{
    /// <summary>What a frame of the link carries.</summary>
    private const int MostBytes = DataFrame.MostPayloadBytes;

    public static async Task<Reply> AnswerAsync(Request request, AgentOptions options, KernelHosts hosts)
    {
        Reply reply = new() { Id = request.Id };
        try
        {
            byte[] json = request.KindCase switch
            {
                Request.KindOneofCase.Probes => await ProbesAsync(options, hosts),
                Request.KindOneofCase.Ruleset => JsonSerializer.SerializeToUtf8Bytes(await RulesetAsync(request.Ruleset.Generation, options, hosts), NodeAnswerJson.Readable.RulesetView),
                Request.KindOneofCase.RuleChange => JsonSerializer.SerializeToUtf8Bytes(RuleChangeOrder.Carry(request.RuleChange, options), NodeAnswerJson.Readable.RuleChangeAnswer),
                _ => throw new RefusedException(RefusedException.NotKnown, $"this version of the node does not answer '{request.KindCase}'"),
            };
            reply.Json = json.Length <= MostBytes ? ByteString.CopyFrom(json)
                : throw new RefusedException(RefusedException.TooLarge, $"the answer has {json.Length} bytes, the link carries {MostBytes}: ask on the host itself");
        }
        catch (Exception refused) when (refused is KernelException or RefusedException or RuleChangeException or IOException or UnauthorizedAccessException)
        {
            reply.Error = refused.Message.ReplaceLineEndings(" ");
            reply.Status = (uint)(refused is RefusedException { Status: var status } ? status : refused is RuleChangeException ? RefusedException.Conflict : 0);
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
            return JsonSerializer.SerializeToUtf8Bytes(rows, NodeAnswerJson.Default.ProbeAnswerArray);
        }
        finally
        {
            await hosts.ReturnAsync(key);
        }
    }

    /// <summary>The one in force, with counters, or an earlier one that running sessions have read. NftCluster's own tables are left out.</summary>
    private static async Task<RulesetView> RulesetAsync(uint generation, AgentOptions options, KernelHosts hosts)
    {
        Ruleset now = RulesetReader.ReadOnce(Sessions.SessionWants.PathOf(options.Netns), RuleTexts.Stateful);
        if (generation == 0 || generation == now.Generation)
        {
            return RulesetView.Of(now.WithoutOurs());
        }
        foreach (Sessions.NodeHost host in hosts.Running)
        {
            if (await host.RulesetAsync(generation, CancellationToken.None) is { } kept)
            {
                return RulesetView.Of(kept.WithoutOurs());
            }
        }
        throw new RefusedException(RefusedException.NotFound, $"generation {generation} is not kept here: generation {now.Generation} is in force, and of earlier ones the newest {KeptRulesets.Most} that running sessions have read are kept");
    }
}

/// <summary>One row of the catalog on this node: attached how, or why not.</summary>
internal sealed record ProbeAnswer(string Name, string Layer, string? Backend, string? WhyNot);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ProbeAnswer[]))]
[JsonSerializable(typeof(RulesetView))]
[JsonSerializable(typeof(RuleChangeAnswer))]
internal sealed partial class NodeAnswerJson : JsonSerializerContext
{
    /// <summary>Rules are full of quotation marks and braces, and the API says that this is JSON, not HTML: they stay readable.</summary>
    public static NodeAnswerJson Readable { get; } = new(new JsonSerializerOptions
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    });
}
