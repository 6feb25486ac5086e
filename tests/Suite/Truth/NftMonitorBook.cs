using System.Globalization;
using System.Text.RegularExpressions;

namespace NftCluster.Tests.Truth;

/// <summary>
/// Which packets <c>nft -a monitor trace</c> told of, and their steps. Its ids repeat; the rule of ours that switches tracing on is the
/// first a packet meets, so each time it is told again for an id, another packet begins.
/// </summary>
internal sealed partial class NftMonitorBook
{
    private readonly List<Entry> _entries = [];
    private readonly Dictionary<string, Entry> _last = new(StringComparer.Ordinal);

    /// <summary>Without chatter.</summary>
    public IEnumerable<(NftPacket Packet, IReadOnlyList<NftStep> Steps)> Packets =>
        _entries.Where(entry => entry.Packet is not null).Select(entry => (entry.Packet!, (IReadOnlyList<NftStep>)entry.Steps));

    public void Take(string line)
    {
        if (Line().Match(line) is not { Success: true } match)
        {
            return;
        }
        string id = match.Groups["id"].Value;
        string rest = match.Groups["rest"].Value;
        (string family, string table, string chain) = (match.Groups["family"].Value, match.Groups["table"].Value, match.Groups["chain"].Value);
        bool isOurs = table.StartsWith("nftcluster", StringComparison.Ordinal);
        if (rest.StartsWith("packet: ", StringComparison.Ordinal))
        {
            if (isOurs)
            {
                Begin(id, $"{family} {chain}", rest);
            }
            return;
        }
        if (!isOurs && StepOf(family, table, chain, rest) is { } step)
        {
            // A bridge floods clones, each with an id of its own, and only the original met us: chatter.
            _last.GetValueOrDefault(id)?.Steps.Add(step);
        }
    }

    /// <summary>A packet may meet several tables of ours, each once.</summary>
    private void Begin(string id, string door, string packet)
    {
        if (_last.TryGetValue(id, out Entry? entry) && entry.Doors.Add(door))
        {
            return;
        }
        _last[id] = entry = new Entry { Packet = PacketOf(packet) };
        entry.Doors.Add(door);
        _entries.Add(entry);
    }

    private static NftStep? StepOf(string family, string table, string chain, string rest)
    {
        if (Policy().Match(rest) is { Success: true } policy)
        {
            return new NftStep(family, table, chain, NftStep.Policy, null, policy.Groups["first"].Value);
        }
        if (Rule().Match(rest) is { Success: true } rule)
        {
            return new NftStep(family, table, chain, NftStep.Rule, long.Parse(rule.Groups["first"].Value, CultureInfo.InvariantCulture), rule.Groups["second"].Value);
        }
        if (Return().Match(rest) is { Success: true } end)
        {
            return end.Groups["first"].Value == "continue" ? null : new NftStep(family, table, chain, NftStep.Rule, null, end.Groups["first"].Value);
        }
        throw new InvalidDataException($"not understood: {rest}");
    }

    private static NftPacket? PacketOf(string words)
    {
        string? Word(string pattern) => Regex.Match(words, $@"(?:^|\s){pattern} (\S+)", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(10)) is { Success: true } found ? found.Value.Split(' ')[^1] : null;
        int? Number(string pattern) => Word(pattern) is { } word ? int.Parse(word, CultureInfo.InvariantCulture) : null;
        string? destination = Word("ip6? daddr");
        if (destination is null || NftPacket.IsChatter(destination) || Word("icmpv6 type") is { } type && (type.StartsWith("nd-", StringComparison.Ordinal) || type.StartsWith("mld", StringComparison.Ordinal)))
        {
            return null;
        }
        string protocol = (Word("ip protocol") ?? Word("ip6 nexthdr")) switch { "udp" => "UDP", "tcp" => "TCP", "icmp" => "ICMP", "ipv6-icmp" or "icmpv6" => "ICMPv6", var other => other ?? "" };
        bool isSentHere = Word("iif") is null;
        return new NftPacket(
            protocol, isSentHere ? null : Word("ip6? saddr"), isSentHere ? null : Number("(udp|tcp) sport"),
            destination, Number("(udp|tcp) dport"), Number("(ip ttl|ip6 hoplimit)"), Number("ip id"));
    }

    [GeneratedRegex(@"^trace id (?<id>\S+) (?<family>\S+) (?<table>\S+) (?<chain>\S+) (?<rest>.*)$", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Line();

    [GeneratedRegex(@"^policy (?<first>\w+)", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Policy();

    [GeneratedRegex(@"^rule .* # handle (?<first>\d+) \(verdict (?<second>[^()]+)\)", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Rule();

    [GeneratedRegex(@"^verdict (?<first>\w+)", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Return();

    private sealed class Entry
    {
        public NftPacket? Packet { get; init; }

        public HashSet<string> Doors { get; } = new(StringComparer.Ordinal);

        public List<NftStep> Steps { get; } = [];
    }
}
