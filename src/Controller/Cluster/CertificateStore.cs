using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace NftCluster.Controller.Cluster;

/// <summary>
/// Keys and certificates below the state directory, each made when it is missing: <c>ca.pem</c> (certificate and key of the
/// nodes' CA), <c>ca-previous.pem</c> (trusted still), <c>web.pem</c>. Files are 0600.
/// </summary>
internal sealed class CertificateStore(string directory, TimeProvider time)
{
    private const UnixFileMode Secret = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private string CaFile => Path.Combine(directory, "ca.pem");

    private string PreviousFile => Path.Combine(directory, "ca-previous.pem");

    private string WebFile => Path.Combine(directory, "web.pem");

    public CertificateAuthority OpenAuthority(TimeSpan nodeLifetime)
    {
        if (!File.Exists(CaFile))
        {
            using X509Certificate2 made = CertificateAuthority.Create(time);
            Write(CaFile, made);
        }
        List<X509Certificate2> trusted = [Read(CaFile)];
        if (File.Exists(PreviousFile))
        {
            trusted.Add(Read(PreviousFile));
        }
        return new CertificateAuthority(trusted, nodeLifetime, time);
    }

    /// <summary>
    /// A new CA signs from now on, the old one stays trusted: nodes renew under running sessions. Refused while an older
    /// replacement is not over: only two are trusted at once.
    /// </summary>
    public void ReplaceAuthority()
    {
        if (File.Exists(PreviousFile))
        {
            throw new ClusterException("the CA before is trusted still: finish that replacement first (nftcluster controller replace-ca --finish), once every node has renewed its certificate");
        }
        using X509Certificate2 made = CertificateAuthority.Create(time);
        File.Move(CaFile, PreviousFile);
        Write(CaFile, made);
    }

    /// <summary>When the present CA took over; null where none is being replaced.</summary>
    public DateTimeOffset? ReplacedAt()
    {
        if (!File.Exists(PreviousFile))
        {
            return null;
        }
        using X509Certificate2 present = Read(CaFile);
        return present.Begins() + CertificateAuthority.Backdate;
    }

    /// <summary>The old CA is trusted no more: what it signed is refused from the next start on.</summary>
    public void FinishReplacement()
    {
        if (!File.Exists(PreviousFile))
        {
            throw new ClusterException("no CA is being replaced: nothing to finish");
        }
        File.Delete(PreviousFile);
    }

    /// <summary>For browsers and the command line; nothing to do with the nodes' CA. A given file holds certificate and key.</summary>
    public X509Certificate2 OpenWeb(string? given, IEnumerable<string> names)
    {
        if (given is null && !File.Exists(WebFile))
        {
            using X509Certificate2 made = CreateWeb(names);
            Write(WebFile, made);
        }
        using X509Certificate2 read = Read(given ?? WebFile);
        return X509CertificateLoader.LoadPkcs12(read.Export(X509ContentType.Pkcs12), null);
    }

    private X509Certificate2 CreateWeb(IEnumerable<string> names)
    {
        DateTimeOffset now = CertificateAuthority.PlausibleNow(time);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=NftCluster controller", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder alternatives = new();
        foreach (string name in names)
        {
            if (System.Net.IPAddress.TryParse(name, out System.Net.IPAddress? address))
            {
                alternatives.AddIpAddress(address);
            }
            else
            {
                alternatives.AddDnsName(name);
            }
        }
        request.CertificateExtensions.Add(alternatives.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));
        return request.CreateSelfSigned(now - CertificateAuthority.Backdate, now.AddDays(825));
    }

    private static X509Certificate2 Read(string file)
    {
        try
        {
            return X509Certificate2.CreateFromPemFile(file);
        }
        catch (Exception failure) when (failure is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new ClusterException($"{file} is not a certificate with its key in PEM: {failure.Message}", failure);
        }
    }

    /// <summary>Whole or not at all: a crash between two lines must not cost the cluster its CA.</summary>
    private static void Write(string file, X509Certificate2 certificate)
    {
        using ECDsa key = certificate.GetECDsaPrivateKey()!;
        string unfinished = file + ".new";
        File.Delete(unfinished);
        using (FileStream stream = new(unfinished, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = Secret }))
        using (StreamWriter writer = new(stream))
        {
            writer.Write(certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem() + "\n");
            writer.Flush();
            stream.Flush(flushToDisk: true);
        }
        File.Move(unfinished, file, overwrite: true);
    }
}
