using System.CommandLine;
using System.IO.Enumeration;
using System.Net;
using System.Text;
using NftCluster.Messages;

namespace NftCluster.Cli.Views;

/// <summary>The options that choose what is shown, the same for live traces and for files; a repeated option means "any of these".</summary>
internal sealed class TraceFilterOptions
{
    private static readonly string[] _verdicts = ["delivered", "forwarded", "dropped", "consumed", "unknown"];
    private static readonly string[] _nftVerdicts = ["accept", "drop", "jump", "goto", "return", "continue", "queue", "stolen"];
    private static readonly string[] _directions = ["inbound", "forward", "outbound", "unknown"];

    private readonly Option<string[]> _host = Many("--host", "ADDRESS", "Show only packets from or to this address or prefix, before or after NAT.");
    private readonly Option<string[]> _port = Many("--port", "PORT", "Show only packets from or to this port, before or after NAT.");
    private readonly Option<string[]> _protocol = Many("--protocol", "NAME", "Show only this protocol: tcp, udp, icmp, icmpv6, arp or an IP protocol number.");
    private readonly Option<string[]> _verdict = Many("--verdict", "VERDICT", $"Show only this final verdict ({string.Join(", ", _verdicts)}), or packets of which an nft rule, policy or chain said this: {string.Join(", ", _nftVerdicts)}.");
    private readonly Option<string[]> _direction = Many("--direction", "DIRECTION", $"Show only this direction: {string.Join(", ", _directions)}.");
    private readonly Option<string[]> _function = Many("--function", "NAME", "Show only packets that passed this function or tracepoint; * and ? are wildcards.");
    private readonly Option<string[]> _reason = Many("--reason", "REASON", "Show only packets dropped for this reason; * and ? are wildcards.");
    private readonly Option<string[]> _table = Many("--table", "NAME", "Show only packets that this nft table judged; * and ? are wildcards.");
    private readonly Option<string[]> _chain = Many("--chain", "NAME", "Show only packets that this nft chain judged; * and ? are wildcards.");
    private readonly Option<string?> _since = One("--since", "Show only packets first seen at or after this time: 14:03:07.5 (UTC) or 2025-01-31T14:03:07Z.");
    private readonly Option<string?> _until = One("--until", "Show only packets first seen at or before this time.");
    private readonly Option<bool> _drops = new("--drops", "--drops-only") { Description = "Show only dropped packets." };
    private readonly Option<bool> _incomplete = new("--incomplete") { Description = "Show only traces that are not complete." };

    public TraceFilterOptions()
    {
        _verdict.CompletionSources.Add([.. _verdicts, .. _nftVerdicts]);
        _direction.CompletionSources.Add(_directions);
    }

    public TraceFilterOptions AddTo(Command command)
    {
        foreach (Option option in new Option[] { _host, _port, _protocol, _verdict, _direction, _function, _reason, _table, _chain, _since, _until, _drops, _incomplete })
        {
            command.Options.Add(option);
        }

        return this;
    }

    /// <summary>False with one line that says which value is wrong and what would be right.</summary>
    public bool TryBind(ParseResult parsed, out TraceFilter filter, out string? error)
    {
        var conditions = new List<TraceCondition>();
        error = Any(conditions, parsed, _host, "is no address or prefix: give one such as 10.3.0.2 or 10.3.0.0/16", Host)
            ?? Any(conditions, parsed, _port, "is no port: give a number from 0 to 65535", Port)
            ?? Any(conditions, parsed, _protocol, "is no protocol: give a name such as tcp or a number from 0 to 255", Protocol)
            ?? Any(conditions, parsed, _verdict, $"is no verdict: give one of {string.Join(", ", _verdicts)}, or what nft says: {string.Join(", ", _nftVerdicts)}", Verdict)
            ?? Any(conditions, parsed, _direction, $"is no direction: give one of {string.Join(", ", _directions)}", Direction)
            ?? Any(conditions, parsed, _function, "is no function name", Function)
            ?? Any(conditions, parsed, _reason, "is no drop reason", Reason)
            ?? Any(conditions, parsed, _table, "is no table's name", text => Judged(text, nft => nft.Table))
            ?? Any(conditions, parsed, _chain, "is no chain's name", text => Judged(text, nft => nft.Chain))
            ?? Bound(conditions, parsed, _since, keepsLater: true)
            ?? Bound(conditions, parsed, _until, keepsLater: false);
        if (parsed.GetValue(_drops))
        {
            conditions.Add(new TraceCondition(_drops.Name, trace => trace.FinalVerdict == "dropped" || trace.DropReason is not null));
        }

        if (parsed.GetValue(_incomplete))
        {
            conditions.Add(new TraceCondition(_incomplete.Name, trace => !trace.Complete));
        }

        filter = error is null ? new TraceFilter(conditions) : TraceFilter.Everything;
        return error is null;
    }

    /// <summary>
    /// What of it a controller can look up itself, as parameters that each begin with '&amp;'. Whatever it answers is filtered once more here:
    /// prefixes, wildcards and times of day are only known to this side.
    /// </summary>
    public string AsQuery(ParseResult parsed)
    {
        StringBuilder query = new();
        Add("host", _host, text => IPAddress.TryParse(text, out _));
        Add("port", _port, _ => true);
        Add("protocol", _protocol, text => char.IsAsciiLetter(text[0]));
        Add("verdict", _verdict, text => _verdicts.Contains(text, StringComparer.Ordinal));
        Add("function", _function, text => !text.Contains('*', StringComparison.Ordinal) && !text.Contains('?', StringComparison.Ordinal));
        return query.ToString();

        void Add(string name, Option<string[]> option, Predicate<string> canAsk)
        {
            string[] values = parsed.GetValue(option) ?? [];
            if (Array.TrueForAll(values, canAsk))
            {
                foreach (string value in values)
                {
                    query.Append('&').Append(name).Append('=').Append(Uri.EscapeDataString(value));
                }
            }
        }
    }

    private static Func<TraceRecord, bool>? Host(string text) =>
        AddressMatch.TryParse(text, out AddressMatch? match) ? match!.Matches : null;

    private static Func<TraceRecord, bool>? Port(string text)
    {
        if (!ushort.TryParse(text, out ushort port))
        {
            return null;
        }

        return trace => trace.SrcPort == port || trace.DstPort == port
            || trace.In?.SrcPort == port || trace.In?.DstPort == port
            || trace.Out?.SrcPort == port || trace.Out?.DstPort == port;
    }

    private static Func<TraceRecord, bool>? Protocol(string text)
    {
        bool isNumber = text.Length > 0 && (char.IsAsciiDigit(text[0]) || text[0] == '-');
        string? name = text.Length == 0 || (isNumber && !byte.TryParse(text, out _)) ? null : ProtocolNames.Read(text);
        return name is null ? null : trace => trace.ProtocolName.Equals(name, StringComparison.OrdinalIgnoreCase);
    }

    private static Func<TraceRecord, bool>? Verdict(string text) =>
        _verdicts.Contains(text, StringComparer.OrdinalIgnoreCase) ? trace => trace.FinalVerdict.Equals(text, StringComparison.OrdinalIgnoreCase)
        : _nftVerdicts.Contains(text, StringComparer.OrdinalIgnoreCase) ? trace => trace.NftEvents.Any(nft => nft.Verdict.Equals(text, StringComparison.OrdinalIgnoreCase))
        : null;

    private static Func<TraceRecord, bool>? Direction(string text) =>
        _directions.Contains(text, StringComparer.OrdinalIgnoreCase) ? trace => trace.Direction.Equals(text, StringComparison.OrdinalIgnoreCase) : null;

    private static Func<TraceRecord, bool>? Function(string text) =>
        text.Length == 0 ? null : trace => trace.FunctionsCalled.Any(name => FileSystemName.MatchesSimpleExpression(text, name, ignoreCase: false));

    private static Func<TraceRecord, bool>? Judged(string text, Func<NftEventRecord, string?> name) =>
        text.Length == 0 ? null : trace => trace.NftEvents.Any(nft => FileSystemName.MatchesSimpleExpression(text, name(nft), ignoreCase: false));

    private static Func<TraceRecord, bool>? Reason(string text)
    {
        const string KernelPrefix = "SKB_DROP_REASON_";
        string pattern = text.StartsWith(KernelPrefix, StringComparison.OrdinalIgnoreCase) ? text[KernelPrefix.Length..] : text;
        return pattern.Length == 0 ? null : trace => trace.DropReason is { } reason && FileSystemName.MatchesSimpleExpression(pattern, reason);
    }

    private static string? Any(
        List<TraceCondition> conditions, ParseResult parsed, Option<string[]> option, string complaint, Func<string, Func<TraceRecord, bool>?> compile)
    {
        string[] values = parsed.GetValue(option) ?? [];
        var alternatives = new List<Func<TraceRecord, bool>>();
        foreach (string value in values)
        {
            if (compile(value) is not { } matches)
            {
                return $"{option.Name}: '{value}' {complaint}";
            }

            alternatives.Add(matches);
        }

        if (alternatives.Count > 0)
        {
            string text = string.Join(' ', values.Select(value => $"{option.Name} {value}"));
            conditions.Add(new TraceCondition(text, alternatives.Count == 1 ? alternatives[0] : trace => alternatives.Exists(matches => matches(trace))));
        }

        return null;
    }

    private static string? Bound(List<TraceCondition> conditions, ParseResult parsed, Option<string?> option, bool keepsLater)
    {
        if (parsed.GetValue(option) is not { } text)
        {
            return null;
        }

        if (TimeBound.Parse(text) is not { } bound)
        {
            return $"{option.Name}: '{text}' is no time: give one such as 14:03:07.5 (UTC) or 2025-01-31T14:03:07Z";
        }

        conditions.Add(new TraceCondition(
            $"{option.Name} {text}",
            keepsLater ? trace => bound.Compare(trace.FirstSeen) >= 0 : trace => bound.Compare(trace.FirstSeen) <= 0));
        return null;
    }

    private static Option<string[]> Many(string name, string value, string description) =>
        new(name) { Description = description, HelpName = value, Arity = ArgumentArity.OneOrMore };

    private static Option<string?> One(string name, string description) =>
        new(name) { Description = description, HelpName = "TIME" };
}
