using Microsoft.Data.Sqlite;
using NftCluster.Controller.Storage;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Controller.Storage;

public sealed class DatabaseTests : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly TempDirectory _directory = new();

    [Fact]
    public void Directory_and_files_are_their_owners_only()
    {
        string state = _directory.File("state");
        var database = Database.Open(state);
        using SqliteConnection connection = database.Connect();
        Execute(connection, "INSERT INTO epochs VALUES ('n1', 1, 1)");

        Assert.Equal(OwnerOnly | UnixFileMode.UserExecute, File.GetUnixFileMode(state));
        Assert.All(Directory.GetFiles(state), file => Assert.Equal(OwnerOnly, File.GetUnixFileMode(file)));
        Assert.Contains(Directory.GetFiles(state), file => file.EndsWith("-wal", StringComparison.Ordinal));
    }

    [Fact]
    public void Opening_again_keeps_what_is_there()
    {
        using (SqliteConnection connection = Database.Open(_directory.Path).Connect())
        {
            Execute(connection, "INSERT INTO epochs VALUES ('n1', 1, 7)");
        }
        using SqliteConnection again = Database.Open(_directory.Path).Connect();

        Assert.Equal(7L, Ask(again, "SELECT sequence FROM epochs"));
        Assert.Equal((long)Migrations.Newest, Ask(again, "PRAGMA user_version"));
    }

    [Fact]
    public void A_database_of_a_newer_program_is_refused_and_stays_as_it_is()
    {
        using (SqliteConnection connection = Database.Open(_directory.Path).Connect())
        {
            Execute(connection, $"PRAGMA user_version = {Migrations.Newest + 1}");
        }

        string refused = Assert.Throws<StorageException>(() => Database.Open(_directory.Path)).Message;

        Assert.StartsWith($"the database has schema {Migrations.Newest + 1}, this program knows {Migrations.Newest}: start a newer nftcluster", refused, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_database_and_what_is_no_directory_are_one_line()
    {
        File.WriteAllText(_directory.File(Database.FileName), new string('x', 5000));
        string broken = Assert.Throws<StorageException>(() => Database.Open(_directory.Path)).Message;
        string noDirectory = Assert.Throws<StorageException>(() => Database.Open(_directory.File(Database.FileName))).Message;

        Assert.Contains("file is not a database", broken, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', broken + noDirectory);
    }

    [Fact]
    public void Who_commits_waits_for_the_disk()
    {
        using SqliteConnection connection = Database.Open(_directory.Path).Connect();

        Assert.Equal("wal", Ask(connection, "PRAGMA journal_mode"));
        Assert.Equal(2L, Ask(connection, "PRAGMA synchronous"));
    }

    public void Dispose() => _directory.Dispose();

    private static void Execute(SqliteConnection connection, string sql)
    {
        using SqliteCommand command = connection.Command(sql);
        command.ExecuteNonQuery();
    }

    private static object? Ask(SqliteConnection connection, string sql)
    {
        using SqliteCommand command = connection.Command(sql);
        return command.ExecuteScalar();
    }
}
