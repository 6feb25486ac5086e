using Microsoft.AspNetCore.Http;

namespace NftCluster.Controller.Api;

/// <summary>The query parameters that an endpoint knows.</summary>
internal sealed record KnownQuery(IReadOnlyCollection<string> Names);

/// <summary>A parameter that an endpoint does not know is refused: a filter with a spelling mistake must not answer everything.</summary>
internal sealed class QueryFilter : IEndpointFilter
{
    public ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        IReadOnlyCollection<string> known = context.HttpContext.GetEndpoint()?.Metadata.GetMetadata<KnownQuery>()?.Names ?? [];
        string? unknown = context.HttpContext.Request.Query.Keys.FirstOrDefault(name => !known.Contains(name, StringComparer.Ordinal));
        return unknown is null ? next(context)
            : new ValueTask<object?>(ApiProblem.Invalid(unknown, known.Count == 0 ? "this address takes no parameters" : $"there is no such parameter: there are {string.Join(", ", known)}"));
    }
}
