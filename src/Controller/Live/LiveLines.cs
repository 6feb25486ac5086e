using System.Text.Json.Nodes;

namespace NftCluster.Controller.Live;

// What viewers get, as JSON with these names in snake_case. "showing 1 of N": this one, and N − 1 that were not shown since the last.

internal sealed record SessionStateLine(string SessionId, string State, bool IsPaused, ulong Generation, string? FailureReason, string Type = "session_state");

internal sealed record StatsLine(string SessionId, JsonNode? Statistics, string Type = "stats");

internal sealed record NodeStateLine(string NodeId, string NodeName, string State, string? Problem, string Type = "node_state");

/// <summary>A count of null is not known.</summary>
internal sealed record LossLine(string SessionId, string NodeId, string NodeName, string Stage, string Kind, ulong? Count, string From, string To, string Type = "loss");

internal sealed record TraceLine(string SessionId, string NodeId, string NodeName, int Showing, long Of, JsonNode? Trace, string Type = "trace");

/// <summary>The last event of a shown trace.</summary>
internal sealed record PacketEventLine(string SessionId, string Node, string FuncName, string Layer, string Verdict, string Timestamp, string Protocol, string? SrcIp, int? SrcPort, string? DstIp, int? DstPort, int Showing, long Of, string Type = "packet_event");

/// <summary>A journey that is new, or other than when it was shown last; <c>replaces</c>: journeys that have become a part of it.</summary>
internal sealed record JourneyLine(string SessionId, Messages.JourneyRecord Journey, IReadOnlyList<string> Replaces, int Showing, long Of, string Type = "journey");
