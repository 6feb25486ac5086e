using NftCluster.Messages;

namespace NftCluster.Node.Export;

/// <summary>The part of an export that stands before its traces though it is known only after them: session and statistics.</summary>
internal static class ExportHead
{
    /// <summary>Eight times what a session with twenty top functions, forty drop reasons and all loss stages took.</summary>
    public const int DefaultRoom = 32 * 1024;

    /// <summary>Where it outgrows <paramref name="room"/>, the result is longer and the file has to be rewritten.</summary>
    public static byte[] Render(SessionRecord session, StatisticsRecord statistics, int room)
    {
        using var text = new TraceBuffer(room);
        text.Add("{\"session\":"u8);
        text.Add(session, TraceJson.Default.SessionRecord);
        text.Add(",\n\"statistics\":"u8);
        text.Add(statistics, TraceJson.Default.StatisticsRecord);
        text.Add(",\n"u8);
        byte[] head = Blank(Math.Max(room, text.Length));
        text.Bytes.CopyTo(head);
        return head;
    }

    /// <summary>Spaces are legal between JSON tokens: the rest of the room stays filled with them. A line break ends it for readers of text.</summary>
    public static byte[] Blank(int room)
    {
        byte[] blank = new byte[room];
        blank.AsSpan().Fill((byte)' ');
        blank[^1] = (byte)'\n';
        return blank;
    }
}
