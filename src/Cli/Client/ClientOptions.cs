using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace NftCluster.Cli.Client;

/// <summary>What every command has that asks a controller: which one, and how its answer is printed.</summary>
internal sealed class ClientOptions
{
    public const string Json = "json";
    public const string Table = "table";
    public const string Wide = "wide";

    private readonly Option<string?> _context = new("--context") { Description = "Which controller, as named at login. Default: the one of the last login or `context use`.", HelpName = "NAME" };
    private readonly Option<string> _output = new("--output", "-o") { Description = "table, wide or json.", HelpName = "FORMAT", DefaultValueFactory = _ => Table };

    public ClientOptions() => _output.AcceptOnlyFromAmong(Json, Table, Wide);

    public static JsonSerializerOptions Readable { get; } = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public ClientOptions AddTo(Command command)
    {
        command.Options.Add(_context);
        command.Options.Add(_output);
        return this;
    }

    public string FormatOf(ParseResult parsed) => parsed.GetValue(_output)!;

    /// <summary>Throws <see cref="UsageException"/> where nobody has logged in.</summary>
    public ControllerClient Open(ParseResult parsed)
    {
        var store = ContextStore.OfUser(Environment.GetEnvironmentVariable);
        (string name, ClientContext context) = store.Find(parsed.GetValue(_context));
        return new ControllerClient(store, name, context);
    }

    /// <summary>A command that asks once and prints what it is answered.</summary>
    public static Command Ask(string name, string description, Action<Command> arguments, Func<ParseResult, ControllerClient, CancellationToken, Task<JsonElement>> ask, Action<TextWriter, string, JsonElement> print)
    {
        Command command = new(name, description);
        arguments(command);
        ClientOptions options = new ClientOptions().AddTo(command);
        command.SetAction((parsed, cancellation) => Failures.GuardedAsync(parsed, async () =>
        {
            using ControllerClient client = options.Open(parsed);
            JsonElement answer = await ask(parsed, client, cancellation);
            print(parsed.InvocationConfiguration.Output, options.FormatOf(parsed), answer);
            return 0;
        }));
        return command;
    }
}
