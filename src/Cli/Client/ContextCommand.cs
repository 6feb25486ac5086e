using System.CommandLine;

namespace NftCluster.Cli.Client;

/// <summary><c>nftcluster context</c>: several controllers, one of them meant where none is named.</summary>
internal static class ContextCommand
{
    public static Command Create()
    {
        Command list = new("ls", "List the controllers that this user has logged in to; * is the current one.");
        list.SetAction((parsed, _) => Failures.GuardedAsync(parsed, () =>
        {
            ClientContexts all = ContextStore.OfUser(Environment.GetEnvironmentVariable).Read();
            foreach ((string name, ClientContext context) in all.Contexts.OrderBy(context => context.Key, StringComparer.Ordinal))
            {
                parsed.InvocationConfiguration.Output.WriteLine($"{(name == all.Current ? '*' : ' ')} {name}  {context.Url}  {context.Username}");
            }
            return Task.FromResult(0);
        }));
        return new Command("context", "Several controllers: which one is meant.")
        {
            list,
            Named("use", "Use this one where none is named.", (store, name) => store.Keep(name, store.Find(name).Context, makeCurrent: true)),
            Named("rm", "Forget this one and its tokens.", (store, name) => store.Remove(store.Find(name).Name)),
        };
    }

    private static Command Named(string verb, string description, Action<ContextStore, string> act)
    {
        Command command = new(verb, description);
        Argument<string> name = new("NAME") { Description = "As `context ls` shows it." };
        command.Arguments.Add(name);
        command.SetAction((parsed, _) => Failures.GuardedAsync(parsed, () =>
        {
            act(ContextStore.OfUser(Environment.GetEnvironmentVariable), parsed.GetValue(name)!);
            return Task.FromResult(0);
        }));
        return command;
    }
}
