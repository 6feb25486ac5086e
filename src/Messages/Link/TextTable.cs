using Google.Protobuf.Collections;

namespace NftCluster.Messages.Link;

/// <summary>The texts of a batch, each once: index 0 is the null text.</summary>
internal sealed class TextTable
{
    private readonly RepeatedField<string> _texts;
    private readonly Dictionary<string, uint> _indexes = new(StringComparer.Ordinal);

    public TextTable(RepeatedField<string> texts)
    {
        _texts = texts;
        _texts.Add("");
    }

    public uint Of(string? text)
    {
        if (text is null)
        {
            return 0;
        }
        if (!_indexes.TryGetValue(text, out uint index))
        {
            index = (uint)_texts.Count;
            _indexes.Add(text, index);
            _texts.Add(text);
        }
        return index;
    }
}
