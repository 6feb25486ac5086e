using System.Text;

namespace NftCluster.Node.Nftables.Changes;

/// <summary>
/// A plan's commands as nft is given them. A user's file is copied first: what was checked is what is applied, whoever edits it meanwhile,
/// and nft only names lines of files.
/// </summary>
internal sealed class ChangeScript : IDisposable
{
    private readonly ChangePlan _plan;
    private readonly string? _copy;
    private readonly NftContext _nft = NftContext.Open();

    public ChangeScript(ChangeStore store, ChangePlan plan)
    {
        _plan = plan;
        if (plan.FileName is null)
        {
            return;
        }
        _copy = Path.Combine(store.Directory, $".apply-{Environment.ProcessId}.nft");
        using FileStream file = new(_copy, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
        file.Write(Encoding.UTF8.GetBytes(plan.Script));
    }

    public NftResult Check() => _copy is null ? _nft.Check(_plan.Script) : _nft.CheckFile(_copy);

    public NftResult Run() => _copy is null ? _nft.Run(_plan.Script, NftOutput.Echo | NftOutput.Handles) : _nft.RunFile(_copy);

    /// <summary>The first line of nft's complaint, with the name that the user knows.</summary>
    public string Complaint(NftResult result) => _copy is null ? result.FirstError : result.FirstError.Replace(_copy, _plan.FileName, StringComparison.Ordinal);

    public void Dispose()
    {
        _nft.Dispose();
        if (_copy is not null)
        {
            File.Delete(_copy);
        }
    }
}
