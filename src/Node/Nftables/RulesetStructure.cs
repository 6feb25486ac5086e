using System.Text;

namespace NftCluster.Node.Nftables;

/// <summary>
/// Tables, chains and rules (without their texts) as the kernel dumps them. Not from nft's JSON: that is ten times the work,
/// and the kernel's own attributes are the same for every version of the library.
/// </summary>
internal sealed class RulesetStructure
{
    private readonly List<RulesetTable> _tables = [];
    private readonly List<ChainHead> _chains = [];
    private readonly List<RulesetFlowtable> _flowtables = [];
    private readonly Dictionary<(NftFamily Family, string Table, string Chain), List<RuleHead>> _rules = [];

    public IReadOnlyList<RulesetTable> Tables => _tables;

    public IReadOnlyList<ChainHead> Chains => _chains;

    public IReadOnlyList<RulesetFlowtable> Flowtables => _flowtables;

    public IReadOnlyList<RuleHead> RulesOf(ChainHead chain) => _rules.GetValueOrDefault((chain.Family, chain.Table, chain.Name)) ?? [];

    /// <summary>Null when the ruleset changed meanwhile.</summary>
    public static RulesetStructure? Dump(NftNetlink netlink)
    {
        RulesetStructure structure = new();
        bool whole = netlink.Dump(NftNetlink.GetTable, message => structure._tables.Add(Table(message)))
            && netlink.Dump(NftNetlink.GetChain, message => structure._chains.Add(Chain(message)))
            && netlink.Dump(NftNetlink.GetRule, structure.AddRule)
            && netlink.Dump(NftNetlink.GetFlowtable, message => structure._flowtables.Add(Flowtable(message)));
        return whole ? structure : null;
    }

    private static RulesetTable Table(NetlinkMessage message)
    {
        (string name, ulong handle, uint flags, uint owner, string? comment) = ("", 0, 0, 0, null);
        NetlinkAttributes at = message.Attributes;
        while (at.MoveNext())
        {
            switch (at.Type)
            {
                case 1: name = at.Text; break;
                case 2: flags = at.UInt32; break;
                case 4: handle = at.UInt64; break;
                case 6: comment = CommentIn(at.Value); break;
                case 7: owner = at.UInt32; break;
            }
        }
        return new RulesetTable(message.Family, name, handle, flags, owner, comment);
    }

    private static ChainHead Chain(NetlinkMessage message)
    {
        ChainHead chain = new() { Family = message.Family };
        (string? type, string hook, int priority, string? policy) = (null, "", 0, null);
        List<string> devices = [];
        NetlinkAttributes at = message.Attributes;
        while (at.MoveNext())
        {
            switch (at.Type)
            {
                case 1: chain.Table = at.Text; break;
                case 2: chain.Handle = at.UInt64; break;
                case 3: chain.Name = at.Text; break;
                case 4: (hook, priority) = Hook(message.Family, at.Nested, devices); break;
                case 5: policy = at.UInt32 == 0 ? "drop" : "accept"; break;
                case 7: type = at.Text; break;
                case 10: chain.IsOffloaded = (at.UInt32 & 2) != 0; break; // NFT_CHAIN_HW_OFFLOAD
                case 12: chain.Comment = CommentIn(at.Value); break;
            }
        }
        chain.Hook = type is null ? null : new ChainHook(type, hook, priority, policy, devices);
        return chain;
    }

    private static RulesetFlowtable Flowtable(NetlinkMessage message)
    {
        (string table, string name, uint flags, List<string> devices) = ("", "", 0, []);
        NetlinkAttributes at = message.Attributes;
        while (at.MoveNext())
        {
            switch (at.Type)
            {
                case 1: table = at.Text; break;
                case 2: name = at.Text; break;
                case 3: FlowtableDevices(at.Nested, devices); break;
                case 7: flags = at.UInt32; break;
            }
        }
        return new RulesetFlowtable(message.Family, table, name, devices, (flags & 1) != 0); // NF_FLOWTABLE_HW_OFFLOAD
    }

    /// <summary>NFTA_FLOWTABLE_HOOK_*: its devices are the third attribute, a chain's the fourth.</summary>
    private static void FlowtableDevices(NetlinkAttributes at, List<string> devices)
    {
        while (at.MoveNext())
        {
            if (at.Type == 3)
            {
                NetlinkAttributes device = at.Nested;
                while (device.MoveNext())
                {
                    devices.Add(device.Text);
                }
            }
        }
        devices.Sort(StringComparer.Ordinal); // the kernel's order is the reverse of the file's
    }

    private static (string Hook, int Priority) Hook(NftFamily family, NetlinkAttributes at, List<string> devices)
    {
        (string hook, int priority) = ("", 0);
        while (at.MoveNext())
        {
            switch (at.Type)
            {
                case 1: hook = NftNames.Hook(family, at.UInt32); break;
                case 2: priority = (int)at.UInt32; break;
                case 3 when devices.Count == 0: devices.Add(at.Text); break; // one device is given both ways
                case 4 when devices.Count == 0:
                    NetlinkAttributes device = at.Nested;
                    while (device.MoveNext())
                    {
                        devices.Add(device.Text);
                    }
                    break;
            }
        }
        return (hook, priority);
    }

    private void AddRule(NetlinkMessage message)
    {
        (string table, string chain, ulong handle, string? comment) = ("", "", 0, null);
        NetlinkAttributes at = message.Attributes;
        while (at.MoveNext())
        {
            switch (at.Type)
            {
                case 1: table = at.Text; break;
                case 2: chain = at.Text; break;
                case 3: handle = at.UInt64; break;
                case 7: comment = CommentIn(at.Value); break;
            }
        }
        if (!_rules.TryGetValue((message.Family, table, chain), out List<RuleHead>? rules))
        {
            rules = _rules[(message.Family, table, chain)] = [];
        }
        rules.Add(new RuleHead(handle, comment));
    }

    /// <summary>nft keeps comments in the user data: type (1), length (1), value; a comment has type 0 everywhere.</summary>
    private static string? CommentIn(ReadOnlySpan<byte> data)
    {
        while (data.Length >= 2 && data.Length >= 2 + data[1])
        {
            if (data[0] == 0)
            {
                return Encoding.UTF8.GetString(data.Slice(2, data[1]).TrimEnd((byte)0));
            }
            data = data[(2 + data[1])..];
        }
        return null;
    }

    /// <summary>A chain before its rules have texts.</summary>
    internal sealed class ChainHead
    {
        public NftFamily Family { get; init; }

        public string Table { get; set; } = "";

        public string Name { get; set; } = "";

        public ulong Handle { get; set; }

        public ChainHook? Hook { get; set; }

        public bool IsOffloaded { get; set; }

        public string? Comment { get; set; }
    }

    internal readonly record struct RuleHead(ulong Handle, string? Comment);
}
