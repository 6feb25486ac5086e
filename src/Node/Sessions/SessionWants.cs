using System.Globalization;
using NftCluster.Node.Kernel;
using NftCluster.Node.Kernel.Filter;
using NftCluster.Node.Kernel.Native;

namespace NftCluster.Node.Sessions;

/// <summary>A session's texts as the kernel half takes them; every mistake becomes one line that says what is wrong.</summary>
internal sealed record SessionWants(SessionFilter Filter, IReadOnlyList<FilterNode> Nodes)
{
    public const string AllNamespaces = "all";

    public static SessionWants Of(SessionSpec spec)
    {
        SessionFilter filter = default;
        string? path = PathOf(spec.Netns);
        filter.Netns = path is null ? 0 : NetworkNamespace.Inode(path);
        if (spec.Device is { } device)
        {
            filter.Ifindex = DeviceNames.IndexOf(device, path ?? throw new KernelException("--dev names a device of one namespace: give --netns, too, and not 'all'"));
        }
        if (spec.Mark is { } mark)
        {
            (filter.Mark, filter.MarkMask) = ParseMark(mark);
        }
        return new SessionWants(filter, NodesOf(spec.Filter));
    }

    /// <summary>Null = every namespace.</summary>
    public static string? PathOf(string? netns) => netns switch
    {
        null => NetworkNamespace.Own,
        AllNamespaces => null,
        _ => NetworkNamespace.Resolve(netns),
    };

    public static IReadOnlyList<FilterNode> NodesOf(string? expression)
    {
        try
        {
            return string.IsNullOrWhiteSpace(expression) ? [] : FilterTranslator.Translate(FilterCompiler.Compile(expression));
        }
        catch (FilterException refused)
        {
            throw new KernelException($"filter '{expression}': {refused.Message}");
        }
    }

    private static (uint Mark, uint Mask) ParseMark(string text)
    {
        string[] parts = text.Split('/');
        if (parts.Length <= 2 && TryNumber(parts[0], out uint mark))
        {
            uint mask = uint.MaxValue;
            if (parts.Length == 1 || TryNumber(parts[1], out mask))
            {
                return mask != 0 && (mark & ~mask) == 0
                    ? (mark, mask)
                    : throw new KernelException($"--mark {text} can never match: the value has bits outside the mask");
            }
        }
        throw new KernelException($"--mark {text} is not a mark: give VALUE or VALUE/MASK, such as 0x10/0xf0");
    }

    private static bool TryNumber(string text, out uint number) =>
        text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            ? uint.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out number)
            : uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
