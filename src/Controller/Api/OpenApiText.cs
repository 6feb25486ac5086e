using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace NftCluster.Controller.Api;

/// <summary>What the generated document (OpenAPI 3.1) says beside what is generated.</summary>
internal static class OpenApiText
{
    public static void Configure(OpenApiOptions options)
    {
        options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new OpenApiInfo { Title = "NftCluster", Version = Hosting.ControllerHost.Version, Description = "Sessions on many nodes, and what they saw. Log in at /api/auth/login; send the access token as a Bearer token." };
            document.Servers = [];
            return Task.CompletedTask;
        });
        options.AddOperationTransformer((operation, context, _) =>
        {
            foreach (string name in context.Description.ActionDescriptor.EndpointMetadata.OfType<KnownQuery>().SelectMany(known => known.Names))
            {
                operation.Parameters ??= [];
                operation.Parameters.Add(new OpenApiParameter { Name = name, In = ParameterLocation.Query, Schema = new OpenApiSchema { Type = JsonSchemaType.String } });
            }
            return Task.CompletedTask;
        });
    }
}
