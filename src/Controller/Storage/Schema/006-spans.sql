-- When a session's frames were, without a look at the frames themselves: joining goes through a session from end to end.
CREATE INDEX frames_by_span ON frames (session_id, first_ns, last_ns, clock_offset_ns, traces) WHERE traces > 0;
