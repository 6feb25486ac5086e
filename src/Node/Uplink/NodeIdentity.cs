using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using NftCluster.Messages.Link;

namespace NftCluster.Node.Uplink;

/// <summary>
/// Who this node is, on disk: its key, its certificate, the CAs it trusts, which controller it belongs to. Files 0600 in a directory
/// 0700, each replaced whole; the certificate comes last, so that half of a change is the old state.
/// </summary>
internal sealed class NodeIdentity
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string _directory;

    public NodeIdentity(string stateDirectory)
    {
        _directory = Path.Combine(stateDirectory, "identity");
        Directory.CreateDirectory(_directory, OwnerOnly | UnixFileMode.UserExecute);
    }

    public bool HasJoined => File.Exists(FileOf("certificate.pem")) && File.Exists(FileOf("ca.pem"));

    /// <summary>Of the controller that was joined; null = none yet.</summary>
    public string? Controller => Read("controller");

    public string? NodeId => Read("node-id");

    public DateTimeOffset RenewAfter => DateTimeOffset.TryParse(Read("renew-after"), CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out DateTimeOffset after) ? after : default;

    public X509Certificate2Collection Roots()
    {
        X509Certificate2Collection roots = [];
        roots.ImportFromPem(Read("ca.pem") ?? "");
        return roots;
    }

    public X509Certificate2 Certificate() => X509Certificate2.CreateFromPem(Read("certificate.pem"), Read("key.pem"));

    /// <summary>The key to join with: made once and kept, so that asking again is the same request.</summary>
    public ECDsa JoiningKey()
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        if (Read("key.pem") is { } pem)
        {
            key.ImportFromPem(pem);
        }
        else
        {
            Write("key.pem", key.ExportPkcs8PrivateKeyPem());
        }
        return key;
    }

    public static string RequestFor(ECDsa key, string name) =>
        new CertificateRequest(new X500DistinguishedName($"CN={Escaped(name)}"), key, HashAlgorithmName.SHA256).CreateSigningRequestPem();

    public static string KeyIdOf(ECDsa key) => Convert.ToHexStringLower(SHA256.HashData(key.ExportSubjectPublicKeyInfo()));

    public void Joined(ControllerAddress controller, JoinAnswer answer)
    {
        Write("controller", controller.ToString());
        Take(answer);
    }

    /// <summary>For the same key: so that a kill between two files never parts key and certificate.</summary>
    public void Renewed(JoinAnswer answer) => Take(answer);

    /// <summary>Throws <see cref="UplinkException"/> when the certificate that came is not for our key.</summary>
    public static void Check(ECDsa key, JoinAnswer answer)
    {
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(answer.CertificatePem);
            using ECDsa? shown = certificate.GetECDsaPublicKey();
            if (shown is null || !shown.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(key.ExportSubjectPublicKeyInfo()))
            {
                throw new UplinkException("the controller answered with a certificate for another key");
            }
            X509Certificate2Collection roots = [];
            roots.ImportFromPem(answer.CaPem);
            if (roots.Count == 0)
            {
                throw new UplinkException("the controller answered without its CA");
            }
        }
        catch (CryptographicException malformed)
        {
            throw new UplinkException($"the controller answered with a certificate that cannot be read: {malformed.Message}", cause: malformed);
        }
    }

    private void Take(JoinAnswer answer)
    {
        Write("ca.pem", answer.CaPem);
        Write("node-id", answer.NodeId);
        Write("renew-after", answer.RenewAfter.ToString("O", CultureInfo.InvariantCulture));
        Write("certificate.pem", answer.CertificatePem);
    }

    private static string Escaped(string name) => new([.. name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' ? c : '-')]);

    private string? Read(string name) => File.Exists(FileOf(name)) ? File.ReadAllText(FileOf(name)) : null;

    private void Write(string name, string text)
    {
        string path = FileOf(name);
        string temporary = path + ".new";
        File.Delete(temporary);
        using (FileStream file = new(temporary, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
        {
            file.Write(Encoding.UTF8.GetBytes(text));
            file.Flush(flushToDisk: true);
        }
        File.Move(temporary, path, overwrite: true);
    }

    private string FileOf(string name) => Path.Combine(_directory, name);
}
