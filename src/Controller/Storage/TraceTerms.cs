using System.Text;
using NftCluster.Messages.Link;

namespace NftCluster.Controller.Storage;

/// <summary>The terms of one batch's traces, field by field. Texts are hashed once per batch and field. For one thread.</summary>
internal sealed class TraceTerms
{
    private readonly List<ulong>[] _terms = [.. Enumerable.Range(0, TraceFields.Count).Select(_ => new List<ulong>())];
    private readonly Dictionary<(TraceField Field, uint Text), ulong> _texts = [];
    private TraceBatch _batch = new();

    public void Begin(TraceBatch batch)
    {
        _batch = batch;
        _texts.Clear();
    }

    /// <summary>Sorted, without repeats; valid until the next trace.</summary>
    public List<ulong> this[TraceField field] => _terms[(int)field];

    public void Read(Trace trace)
    {
        foreach (List<ulong> field in _terms)
        {
            field.Clear();
        }
        AddText(TraceField.Verdict, trace.VerdictText);
        AddText(TraceField.DropReason, trace.DropReasonText);
        AddText(TraceField.DropFunction, trace.DropFunctionText);
        AddText(TraceField.Direction, trace.DirectionText);
        AddText(TraceField.IncompleteReason, trace.IncompleteText);
        Add(TraceField.Complete, Term.Of(TraceField.Complete, trace.Complete));
        Add(TraceField.Netns, Term.Of(TraceField.Netns, trace.Netns));
        Add(TraceField.Key, Term.Of(TraceField.Key, Encoding.UTF8.GetBytes(trace.Key)));
        if (trace.HasSkbAddr)
        {
            Add(TraceField.SkbAddr, Term.Of(TraceField.SkbAddr, trace.SkbAddr));
        }
        AddSide(trace.In);
        AddSide(trace.Out);
        foreach (Messages.Link.Tuple tuple in trace.Tuples)
        {
            AddTuple(tuple);
        }
        foreach (uint function in trace.FunctionText)
        {
            AddText(TraceField.Function, function);
        }
        foreach (Event e in trace.Event)
        {
            AddEvent(e);
        }
        foreach (NftEvent verdict in trace.NftEvent)
        {
            AddVerdict(verdict);
        }
        foreach (List<ulong> field in _terms)
        {
            field.Sort();
        }
    }

    private void AddSide(Side? side)
    {
        if (side is null)
        {
            return;
        }
        AddText(TraceField.Device, side.DeviceText);
        AddText(TraceField.TcpFlags, side.TcpFlagsText);
        if (side.HasIpId)
        {
            Add(TraceField.IpId, Term.Of(TraceField.IpId, side.IpId));
        }
    }

    private void AddTuple(Messages.Link.Tuple tuple)
    {
        AddText(TraceField.Protocol, tuple.ProtocolText);
        if (!tuple.SrcIp.IsEmpty)
        {
            Add(TraceField.Src, Term.Of(TraceField.Src, tuple.SrcIp.Span));
            Add(TraceField.Host, Term.Of(TraceField.Host, tuple.SrcIp.Span));
        }
        if (!tuple.DstIp.IsEmpty)
        {
            Add(TraceField.Dst, Term.Of(TraceField.Dst, tuple.DstIp.Span));
            Add(TraceField.Host, Term.Of(TraceField.Host, tuple.DstIp.Span));
        }
        if (tuple.HasSrcPort)
        {
            Add(TraceField.SrcPort, Term.Of(TraceField.SrcPort, tuple.SrcPort));
            Add(TraceField.Port, Term.Of(TraceField.Port, tuple.SrcPort));
        }
        if (tuple.HasDstPort)
        {
            Add(TraceField.DstPort, Term.Of(TraceField.DstPort, tuple.DstPort));
            Add(TraceField.Port, Term.Of(TraceField.Port, tuple.DstPort));
        }
    }

    private void AddEvent(Event e)
    {
        AddText(TraceField.Function, e.FuncText);
        AddText(TraceField.Layer, e.LayerText);
        AddText(TraceField.Step, e.StepText);
        AddText(TraceField.Device, e.DeviceText);
        AddText(TraceField.Comm, e.CommText);
        if (e.HasMark)
        {
            Add(TraceField.Mark, Term.Of(TraceField.Mark, e.Mark));
        }
    }

    private void AddVerdict(NftEvent verdict)
    {
        AddText(TraceField.Family, verdict.FamilyText);
        AddText(TraceField.Table, verdict.TableText);
        AddText(TraceField.Chain, verdict.ChainText);
        AddText(TraceField.RuleText, verdict.RuleText);
        AddText(TraceField.Hook, verdict.HookText);
        AddText(TraceField.NftVerdict, verdict.VerdictText);
        AddText(TraceField.CtState, verdict.CtStateText);
        AddText(TraceField.Device, verdict.InDeviceText);
        AddText(TraceField.Device, verdict.OutDeviceText);
        if (verdict.HasRuleHandle)
        {
            Add(TraceField.Rule, Term.Of(TraceField.Rule, verdict.RuleHandle));
        }
        if (verdict.HasMark)
        {
            Add(TraceField.Mark, Term.Of(TraceField.Mark, verdict.Mark));
        }
    }

    private void AddText(TraceField field, uint text)
    {
        if (text == 0 || text >= _batch.Text.Count)
        {
            return; // the null text; one that a damaged batch lacks is refused where it is decoded
        }
        if (!_texts.TryGetValue((field, text), out ulong term))
        {
            term = Term.Of(field, Encoding.UTF8.GetBytes(_batch.Text[(int)text]));
            _texts[(field, text)] = term;
        }
        Add(field, term);
    }

    /// <summary>A trace has few values of a field: looking through them is cheaper than a table.</summary>
    private void Add(TraceField field, ulong term)
    {
        List<ulong> terms = _terms[(int)field];
        if (!terms.Contains(term))
        {
            terms.Add(term);
        }
    }
}
