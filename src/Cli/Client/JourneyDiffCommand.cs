using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using NftCluster.Cli.Views;
using NftCluster.Messages;

namespace NftCluster.Cli.Client;

/// <summary><c>nftcluster journey diff A B</c>: the first difference between two packets' ways.</summary>
internal static class JourneyDiffCommand
{
    public static Command Create()
    {
        Command command = new("diff", """
            Show where two packets begin to be treated differently: the first router, and in it the first step. Exit code 0: no difference, 3: there is one.

            Example:
              nftcluster journey diff 3c8ced1a5e39f765~6ad9d91f68e1f0ab~12~7 3c8ced1a5e39f765~6ad9d91f68e1f0ab~12~9
            """);
        Argument<string> one = new("A") { Description = "A journey, or any of its traces." };
        Argument<string> other = new("B") { Description = "Another one." };
        command.Arguments.Add(one);
        command.Arguments.Add(other);
        ClientOptions options = new ClientOptions().AddTo(command);
        command.SetAction((parsed, cancellation) => Failures.GuardedAsync(parsed, async () =>
        {
            using ControllerClient client = options.Open(parsed);
            JourneyRecord first = await JourneyCommands.GetAsync(client, parsed.GetValue(one)!, cancellation);
            JourneyRecord second = await JourneyCommands.GetAsync(client, parsed.GetValue(other)!, cancellation);
            (int alike, IReadOnlyList<Difference> differences) = JourneyDiff.Hops(first, second);
            (int Alike, Difference? First)? inside = alike < first.Hops.Count && alike < second.Hops.Count && first.Hops[alike].NodeName == second.Hops[alike].NodeName
                ? JourneyDiff.Steps(await TraceAsync(client, first, alike, cancellation), await TraceAsync(client, second, alike, cancellation))
                : null;
            if (options.FormatOf(parsed) == ClientOptions.Json)
            {
                await parsed.InvocationConfiguration.Output.WriteLineAsync(JsonSerializer.Serialize(
                    new { a = first.Id, b = second.Id, alike_hops = alike, differences = differences.Select(Json), alike_steps = inside?.Alike, first_step = inside?.First is { } step ? Json(step) : null }, ClientOptions.Readable));
                return differences.Count == 0 ? 0 : 3;
            }
            TerminalWriter terminal = JourneyCommands.Terminal(parsed);
            Write(terminal, first, second, alike, differences, inside);
            terminal.Flush();
            return differences.Count == 0 ? 0 : 3;
        }));
        return command;
    }

    private static object Json(Difference difference) => new { what = difference.What, a = difference.One, b = difference.Other };

    private static async Task<TraceRecord> TraceAsync(ControllerClient client, JourneyRecord journey, int hop, CancellationToken cancellation) =>
        (await client.GetAsync($"/api/sessions/{journey.SessionId}/traces/{Uri.EscapeDataString(journey.Hops[hop].TraceId)}", cancellation)).Deserialize(TraceJson.Default.TraceRecord)!;

    private static void Write(TerminalWriter terminal, JourneyRecord first, JourneyRecord second, int alike, IReadOnlyList<Difference> differences, (int Alike, Difference? First)? inside)
    {
        terminal.Write("A  ", Ink.Strong).Write(HopStripView.Flow(first), Ink.Dim).Write("  ").Write(first.Summary, HopStripView.InkOf(first)).EndLine();
        terminal.Write("B  ", Ink.Strong).Write(HopStripView.Flow(second), Ink.Dim).Write("  ").Write(second.Summary, HopStripView.InkOf(second)).EndLine();
        if (differences.Count == 0)
        {
            terminal.Write(string.Create(CultureInfo.InvariantCulture, $"No difference: {alike} hop{(alike == 1 ? "" : "s")}, the same routers, devices and verdicts."), Ink.Good).EndLine();
            return;
        }
        if (alike > 0)
        {
            terminal.Write($"Alike up to {string.Join(" > ", first.Path.Take(alike))}.").EndLine();
        }
        terminal.Write(string.Create(CultureInfo.InvariantCulture, $"First difference at hop {alike + 1}:"), Ink.Bad).EndLine();
        foreach (Difference difference in differences)
        {
            terminal.Write($"  {difference.What,-12}  A {difference.One ?? "–"}  │  B {difference.Other ?? "–"}").EndLine();
        }
        if (inside is { First: { } step } place)
        {
            terminal.Write(string.Create(CultureInfo.InvariantCulture, $"In {first.Hops[alike].NodeName}, behind {place.Alike} steps that are alike:"), Ink.Bad).EndLine();
            terminal.Write($"  A {step.One ?? "– (no further step)"}").EndLine();
            terminal.Write($"  B {step.Other ?? "– (no further step)"}").EndLine();
        }
    }
}
