using System.Security.Cryptography;
using NftCluster.Controller.Cluster;

namespace NftCluster.Controller.Auth;

/// <summary>The first start makes one admin; a forgotten password is replaced on the controller's host.</summary>
internal static class FirstAdmin
{
    public const string Name = "admin";

    /// <summary>Without what is read wrongly: 0 O o, 1 l I.</summary>
    private const string Letters = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    private const int Length = 20; // 116 bits

    /// <summary>The password to show once; null where there are users already, or its file was given. Throws <see cref="ClusterException"/> for a file that cannot be used.</summary>
    public static string? Make(Accounts accounts, string? file)
    {
        if (accounts.All().Count > 0)
        {
            return null;
        }
        string? given = file is null ? null : Given(file);
        string password = given ?? Password();
        accounts.Add(Name, null, Roles.Admin, Logins.HashOf(password), firstLogin: given is null);
        return given is null ? password : null;
    }

    /// <summary>Another password for this admin, who is made where there is none; every token of it is over.</summary>
    public static string Reset(Accounts accounts, string username)
    {
        string password = Password();
        string hash = Logins.HashOf(password);
        if (accounts.FindByName(username) is not { } account)
        {
            accounts.Add(username, null, Roles.Admin, hash, firstLogin: true);
            return password;
        }
        accounts.SetPassword(account.User.Id, hash, firstLogin: true);
        accounts.Change(account.User.Id, Roles.Admin, true, null);
        return password;
    }

    private static string Given(string file)
    {
        try
        {
            return File.ReadLines(file).FirstOrDefault() is { Length: >= Logins.LeastPassword and <= Logins.MostPassword } line ? line
                : throw new ClusterException($"{file}: its first line is the first admin's password, of {Logins.LeastPassword} to {Logins.MostPassword} characters");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new ClusterException($"cannot read the first admin's password: {failure.Message}", failure);
        }
    }

    private static string Password() => RandomNumberGenerator.GetString(Letters, Length);
}
