using System.CommandLine;
using NftCluster.Cli.Views;
using NftCluster.Node.Export;

namespace NftCluster.Cli.Client;

/// <summary><c>nftcluster session export</c>: the JSON export of all nodes; a download that broke off goes on where it was.</summary>
internal static class SessionExportCommand
{
    public static Command Create()
    {
        Command command = new("export", """
            Download a session's JSON export. A file that is there in part (FILE.part) is continued.

            Examples:
              nftcluster session export web
              nftcluster session export web --file web.json
            """);
        Argument<string> session = SessionCommands.Session();
        Option<string?> file = new("--file", "-f") { Description = "Where to. Default: the name that the controller gives, here; - is standard output.", HelpName = "FILE" };
        command.Arguments.Add(session);
        command.Options.Add(file);
        ClientOptions options = new ClientOptions().AddTo(command);
        command.SetAction((parsed, cancellation) => Failures.GuardedAsync(parsed, async () =>
        {
            using ControllerClient client = options.Open(parsed);
            string id = await SessionCommands.IdAsync(client, parsed.GetValue(session)!, cancellation);
            await DownloadAsync(client, id, parsed.GetValue(file), parsed.InvocationConfiguration.Error, cancellation);
            return 0;
        }));
        return command;
    }

    private static async Task DownloadAsync(ControllerClient client, string id, string? file, TextWriter error, CancellationToken cancellation)
    {
        string path = $"/api/sessions/{id}/export";
        if (file == "-")
        {
            using HttpResponseMessage whole = await client.StreamAsync(path, 0, cancellation);
            await using Stream output = new StandardOutputStream();
            await whole.Content.CopyToAsync(output, cancellation);
            return;
        }
        string part = $"{file ?? id}.part";
        long have = File.Exists(part) ? new FileInfo(part).Length : 0;
        using HttpResponseMessage response = await client.StreamAsync(path, have, cancellation);
        bool goesOn = response.StatusCode == System.Net.HttpStatusCode.PartialContent;
        await using (FileStream written = new(part, goesOn ? FileMode.Append : FileMode.Create, FileAccess.Write))
        {
            await response.Content.CopyToAsync(written, cancellation);
            written.Flush(flushToDisk: true);
        }
        string name = file ?? Path.GetFileName(response.Content.Headers.ContentDisposition?.FileName?.Trim('"') ?? $"{id}.json");
        File.Move(part, name, overwrite: false);
        await error.WriteLineAsync($"nftcluster: {name}, {Readable.Plural(new FileInfo(name).Length, "byte")}");
    }
}
