using Microsoft.AspNetCore.Http;
using NftCluster.Controller.Storage;
using NftCluster.Messages;

namespace NftCluster.Controller.Api;

/// <summary>
/// A search as query parameters: every field of <see cref="TraceFields"/>, each as often as wanted (any of the values), all of them together; <c>node</c>,
/// <c>from</c>, <c>to</c>, <c>order</c>, <c>limit</c>, <c>cursor</c>; and every other value by its place (<see cref="TraceValues"/>).
/// </summary>
internal static class TraceParameters
{
    private const int MostValues = 64;

    public static string[] Names { get; } = [.. TraceFields.Names, .. TraceValues.Paths, "node", "from", "to", "order", "limit", "cursor"];

    /// <summary>Null with the problem that names the parameter.</summary>
    public static TraceQuery? Read(string sessionId, HttpContext context, out IResult? problem, bool readsCursor = true)
    {
        if (Endpoint.Limit(context, out problem) is not { } limit)
        {
            return null;
        }
        IQueryCollection given = context.Request.Query;
        List<QueryPart> parts = [];
        foreach ((string name, Microsoft.Extensions.Primitives.StringValues values) in given)
        {
            if (TraceFields.TryParse(name, out TraceField field) && Part(name, field, values, out problem) is { } part)
            {
                parts.Add(part);
            }
            if (problem is not null)
            {
                return null;
            }
        }
        ValuePart[] places = [.. given.Where(one => TraceValues.Paths.Contains(one.Key)).Select(one => new ValuePart(one.Key, [.. one.Value.OfType<string>().Take(MostValues)]))];
        long from = Time(given, "from", long.MinValue, ref problem);
        long to = Time(given, "to", long.MaxValue, ref problem);
        TraceCursor? after = null;
        if (readsCursor && given["cursor"].ToString() is { Length: > 0 } cursor)
        {
            after = TraceCursor.TryParse(cursor, out TraceCursor place) ? place : null;
            problem ??= after is null ? ApiProblem.Invalid("cursor", "this is no cursor of this list: begin anew") : null;
        }
        if (given["order"].ToString() is not ("" or "newest" or "oldest"))
        {
            problem ??= ApiProblem.Invalid("order", "newest or oldest is needed");
        }
        return problem is not null ? null : new TraceQuery
        {
            SessionId = sessionId,
            Nodes = [.. given["node"].OfType<string>().Take(MostValues)],
            Parts = parts,
            Values = places,
            FromNs = from,
            ToNs = to,
            OldestFirst = given["order"] == "oldest",
            Limit = limit,
            After = after,
        };
    }

    private static QueryPart? Part(string name, TraceField field, Microsoft.Extensions.Primitives.StringValues values, out IResult? problem)
    {
        problem = values.Count > MostValues ? ApiProblem.Invalid(name, $"at most {MostValues} values") : null;
        List<ulong> terms = [];
        foreach (string? value in values)
        {
            if (problem is null && Term.Parse(field, value ?? "", out string? wrong) is { } term)
            {
                terms.Add(term);
            }
            else
            {
                problem ??= ApiProblem.Invalid(name, Term.Parse(field, value ?? "", out string? said) is null ? said! : "no value is given");
            }
        }
        return problem is null ? new QueryPart(field, terms) : null;
    }

    private static long Time(IQueryCollection given, string name, long otherwise, ref IResult? problem)
    {
        string text = given[name].ToString();
        if (text.Length == 0)
        {
            return otherwise;
        }
        if (TraceTime.TryParse(text, out long exact))
        {
            return exact;
        }
        if (DateTimeOffset.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.AssumeUniversal, out DateTimeOffset time) && time.Year is >= 1970 and <= 2261)
        {
            return TraceTime.UnixNs(time);
        }
        problem ??= ApiProblem.Invalid(name, "a time such as 2026-01-31T14:03:07Z is needed");
        return otherwise;
    }
}
