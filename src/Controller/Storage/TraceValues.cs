using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using NftCluster.Messages;

namespace NftCluster.Controller.Storage;

/// <summary>One condition of a search about a value that has no summary: it stands at this place in the trace.</summary>
internal sealed record ValuePart(string Path, IReadOnlyList<string> Values)
{
    public string[] Steps { get; } = Path.Split('.');
}

/// <summary>
/// Every value of a trace by its place in the JSON: <c>in.ttl</c>, <c>events.pid</c>, <c>nft_events.ct_original.src_ip</c>; of a list any element. For what <see cref="TraceFields"/> has no
/// summary of: traces that pass the rest of a search are unpacked to look.
/// </summary>
internal static class TraceValues
{
    /// <summary>Without those that a summary has under the same name.</summary>
    public static IReadOnlySet<string> Paths { get; } = Walk(TraceJson.Default.TraceRecord, "").Where(path => !TraceFields.TryParse(path, out _)).ToHashSet(StringComparer.Ordinal);

    public static bool Match(TraceRecord trace, IReadOnlyList<ValuePart> parts)
    {
        JsonNode? json = JsonSerializer.SerializeToNode(trace, TraceJson.Default.TraceRecord);
        return parts.All(part => At(json, part.Steps, 0).Any(value => part.Values.Contains(value, StringComparer.Ordinal)));
    }

    private static IEnumerable<string> Walk(JsonTypeInfo type, string before)
    {
        foreach (JsonPropertyInfo property in type.Properties)
        {
            string path = before + property.Name;
            Type value = property.PropertyType.IsGenericType && property.PropertyType.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) ? property.PropertyType.GetGenericArguments()[0] : property.PropertyType;
            if (value.Namespace == typeof(TraceRecord).Namespace)
            {
                foreach (string inner in Walk(type.Options.GetTypeInfo(value), path + "."))
                {
                    yield return inner;
                }
            }
            else
            {
                yield return path;
            }
        }
    }

    private static IEnumerable<string> At(JsonNode? node, string[] path, int depth) => node switch
    {
        JsonArray list => list.SelectMany(element => At(element, path, depth)),
        JsonObject record when depth < path.Length => At(record[path[depth]], path, depth + 1),
        JsonValue value when depth == path.Length => [value.ToString()],
        _ => [],
    };
}
