using System.CommandLine;
using NftCluster.Cli.Views;
using NftCluster.Node.Export;

namespace NftCluster.Cli.Client;

/// <summary><c>nftcluster session export</c>: the export of all nodes, and the parts that rotation wrote; a download that broke off goes on where it was.</summary>
internal static class SessionExportCommand
{
    private static readonly ApiColumn[] _partColumns = [new("NAME", "name"), new("BYTES", "bytes"), new("WRITTEN", "written_at")];

    public static Command Create()
    {
        Command command = new("export", """
            Download a session's export: JSON with traces and journeys, or a capture file for Wireshark. A file that is there in part (FILE.part) is continued.

            Examples:
              nftcluster session export web
              nftcluster session export web --file web.json
              nftcluster session export web --format pcapng --file web.pcapng
              nftcluster session export web --part 0b3e….1-400.json
            """);
        Option<string> format = new("--format") { Description = "json or pcapng.", HelpName = "FORMAT", DefaultValueFactory = _ => "json" };
        format.CompletionSources.Add("json", "pcapng");
        Option<string?> part = new("--part") { Description = "One of the files that the controller wrote from time to time (see: session parts).", HelpName = "NAME" };
        Argument<string> session = SessionCommands.Session();
        Option<string?> file = new("--file", "-f") { Description = "Where to. Default: the name that the controller gives, here; - is standard output.", HelpName = "FILE" };
        command.Arguments.Add(session);
        command.Options.Add(file);
        command.Options.Add(format);
        command.Options.Add(part);
        ClientOptions options = new ClientOptions().AddTo(command);
        command.SetAction((parsed, cancellation) => Failures.GuardedAsync(parsed, async () =>
        {
            using ControllerClient client = options.Open(parsed);
            string id = await SessionCommands.IdAsync(client, parsed.GetValue(session)!, cancellation);
            string path = parsed.GetValue(part) is { } name ? $"/api/sessions/{id}/exports/{Uri.EscapeDataString(name)}" : $"/api/sessions/{id}/export?format={Uri.EscapeDataString(parsed.GetValue(format)!)}";
            await DownloadAsync(client, path, parsed.GetValue(file), parsed.GetValue(part) ?? $"{id}.{parsed.GetValue(format)}", parsed.InvocationConfiguration.Error, cancellation);
            return 0;
        }));
        return command;
    }

    public static Command Parts()
    {
        Argument<string> session = SessionCommands.Session();
        return ClientOptions.Ask("parts", """
            Show the files into which the controller has written a running session from time to time (its setting export_every_minutes).

            Example:
              nftcluster session parts web
            """, command => command.Arguments.Add(session),
            async (parsed, client, cancellation) => await client.GetAsync($"/api/sessions/{await SessionCommands.IdAsync(client, parsed.GetValue(session)!, cancellation)}/exports", cancellation),
            (output, format, answer) => ApiTable.Write(output, format, answer, ApiPages.RowsOf(answer), _partColumns));
    }

    /// <summary>To the name that is given (- is standard output), else to the one that the controller gives.</summary>
    public static async Task DownloadAsync(ControllerClient client, string path, string? file, string otherwise, TextWriter error, CancellationToken cancellation)
    {
        if (file == "-")
        {
            using HttpResponseMessage whole = await client.StreamAsync(path, 0, cancellation);
            await using Stream output = new StandardOutputStream();
            await whole.Content.CopyToAsync(output, cancellation);
            return;
        }
        string part = $"{file ?? otherwise}.part";
        long have = File.Exists(part) ? new FileInfo(part).Length : 0;
        using HttpResponseMessage response = await client.StreamAsync(path, have, cancellation);
        bool goesOn = response.StatusCode == System.Net.HttpStatusCode.PartialContent;
        await using (FileStream written = new(part, goesOn ? FileMode.Append : FileMode.Create, FileAccess.Write))
        {
            await response.Content.CopyToAsync(written, cancellation);
            written.Flush(flushToDisk: true);
        }
        string name = file ?? Path.GetFileName(response.Content.Headers.ContentDisposition?.FileName?.Trim('"') ?? otherwise);
        File.Move(part, name, overwrite: false);
        await error.WriteLineAsync($"nftcluster: {name}, {Readable.Plural(new FileInfo(name).Length, "byte")}");
    }
}
