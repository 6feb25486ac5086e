using NftCluster.Messages;

namespace NftCluster.Controller.Storage;

/// <summary>One condition of a search: the field has one of these values.</summary>
internal sealed record QueryPart(TraceField Field, IReadOnlyList<ulong> Terms);

/// <summary>A search in the traces of one session. All conditions hold together.</summary>
internal sealed record TraceQuery
{
    public const int MostPerPage = 1000;

    public required string SessionId { get; init; }

    /// <summary>Ids; empty = all.</summary>
    public IReadOnlyList<string> Nodes { get; init; } = [];

    public IReadOnlyList<QueryPart> Parts { get; init; } = [];

    /// <summary>Conditions that no summary answers.</summary>
    public IReadOnlyList<ValuePart> Values { get; init; } = [];

    /// <summary>First event at or after, in ns since 1970 of the node's clock.</summary>
    public long FromNs { get; init; } = long.MinValue;

    public long ToNs { get; init; } = long.MaxValue;

    public FrameRange Frames { get; init; } = FrameRange.All;

    /// <summary>The order is that of storing: newest first, or oldest first.</summary>
    public bool OldestFirst { get; init; }

    /// <summary>1 to <see cref="MostPerPage"/>.</summary>
    public int Limit { get; init; } = 100;

    /// <summary>Where the page before ended; what is stored meanwhile neither repeats nor hides a trace.</summary>
    public TraceCursor? After { get; init; }
}

/// <summary>Frames behind one, up to another: each is in one of two ranges that meet.</summary>
internal readonly record struct FrameRange(long Behind, long Last)
{
    public static FrameRange All { get; } = new(0, long.MaxValue);
}

/// <summary>A place in the order of storing.</summary>
internal readonly record struct TraceCursor(long Frame, int Index)
{
    public override string ToString() => FormattableString.Invariant($"{Frame}.{Index}");

    public static bool TryParse(string text, out TraceCursor cursor)
    {
        string[] parts = text.Split('.');
        cursor = default;
        if (parts.Length == 2
            && long.TryParse(parts[0], System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out long frame)
            && int.TryParse(parts[1], System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out int index))
        {
            cursor = new TraceCursor(frame, index);
            return true;
        }
        return false;
    }
}

/// <summary>A trace as it is stored: whose it is, and what it is called.</summary>
internal sealed record StoredTrace(TraceId Id, string SessionId, TraceRecord Trace);

/// <summary><paramref name="Next"/> is null on the last page.</summary>
internal sealed record TracePage(IReadOnlyList<StoredTrace> Traces, TraceCursor? Next);

/// <summary>Names a trace for good: the frame in which its node sent it, and its place in that. Users see one opaque text.</summary>
internal readonly record struct TraceId(string NodeId, ulong Epoch, ulong Sequence, int Index)
{
    public override string ToString() => FormattableString.Invariant($"{NodeId}~{Epoch:x16}~{Sequence}~{Index}");

    public static bool TryParse(string text, out TraceId id)
    {
        string[] parts = text.Split('~');
        id = default;
        if (parts.Length == 4
            && ulong.TryParse(parts[1], System.Globalization.NumberStyles.AllowHexSpecifier, System.Globalization.CultureInfo.InvariantCulture, out ulong epoch)
            && ulong.TryParse(parts[2], System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out ulong sequence)
            && int.TryParse(parts[3], System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out int index))
        {
            id = new TraceId(parts[0], epoch, sequence, index);
            return true;
        }
        return false;
    }
}

/// <summary>A loss as it is stored; a count of null is not known.</summary>
internal sealed record StoredLoss(string SessionId, string NodeId, string Stage, string Kind, long? Count, long FromNs, long ToNs, string Text);

/// <summary>The newest numbers of a session on one node and one of its incarnations.</summary>
internal sealed record StoredReport(string NodeId, ulong Epoch, string State, string? FailureReason, StatisticsRecord Statistics, long AtNs);
