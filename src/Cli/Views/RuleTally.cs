using System.Runtime.InteropServices;
using NftCluster.Messages;

namespace NftCluster.Cli.Views;

/// <summary>Packets by rule and verdict. A packet that a rule judges twice counts once.</summary>
internal sealed class RuleTally
{
    /// <summary>A ruleset that is loaded anew all the time brings ever new ones.</summary>
    private const int MostRules = 10_000;
    private const string Further = "(further rules)";

    private readonly Dictionary<string, long> _packets = new(StringComparer.Ordinal);
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);

    /// <summary>By "inet filter forward  rule 17 "tcp dport 443 drop"  → drop".</summary>
    public IReadOnlyDictionary<string, long> Packets => _packets;

    public void Add(TraceRecord trace)
    {
        _seen.Clear();
        foreach (NftEventRecord nft in trace.NftEvents)
        {
            // The end of a chain that was jumped to decides nothing.
            string line = $"{NftAnswer.Place(nft)}  {NftAnswer.Rule(nft)}  → {Verdict(nft)}";
            if (_packets.Count >= MostRules && !_packets.ContainsKey(line))
            {
                line = Further;
            }
            if ((nft.RuleHandle is not null || nft.TraceType == "policy") && _seen.Add(line))
            {
                CollectionsMarshal.GetValueRefOrAddDefault(_packets, line, out _)++;
            }
        }
    }

    public static string Verdict(NftEventRecord nft) => nft.JumpTarget is { } target ? $"{nft.Verdict} {target}" : nft.Verdict;
}
