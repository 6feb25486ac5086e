-- When a session's frames were on the controller's clock, without a look at the frames themselves: who asks for the newest reads only those, who joins a session reads them all.
CREATE INDEX frames_by_span ON frames (session_id, (last_ns - coalesce(clock_offset_ns, 0)), first_ns, last_ns, clock_offset_ns, traces) WHERE traces > 0;
