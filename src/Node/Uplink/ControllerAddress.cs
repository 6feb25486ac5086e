namespace NftCluster.Node.Uplink;

/// <summary>Where the controller's node port is: https://HOST[:7444].</summary>
internal sealed record ControllerAddress(Uri Base)
{
    private const int NodePort = 7444;

    public Uri Link => new UriBuilder(Base) { Scheme = "wss", Path = "/link" }.Uri;

    public static bool TryParse(string text, out ControllerAddress? address)
    {
        address = null;
        if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) || uri.Scheme != Uri.UriSchemeHttps || uri.AbsolutePath != "/" || uri.UserInfo.Length > 0 || uri.Query.Length > 0)
        {
            return false;
        }
        bool namesPort = !uri.IsDefaultPort || text.TrimEnd('/').EndsWith(":443", StringComparison.Ordinal);
        address = new ControllerAddress(new UriBuilder(uri) { Port = namesPort ? uri.Port : NodePort }.Uri);
        return true;
    }

    public Uri At(string path) => new(Base, path);

    public override string ToString() => Base.GetLeftPart(UriPartial.Authority);
}
