-- A frame is what a node sent under one number, as it came. One that holds traces is a segment of its session.
CREATE TABLE frames (
  id            INTEGER PRIMARY KEY AUTOINCREMENT, -- in order of commit
  node_id       TEXT    NOT NULL,
  epoch         INTEGER NOT NULL,
  sequence      INTEGER NOT NULL,
  hash          INTEGER NOT NULL,
  session_id    TEXT    NOT NULL,
  traces        INTEGER NOT NULL,
  first_ns      INTEGER NOT NULL,    -- of its traces; the nodes' clocks
  last_ns       INTEGER NOT NULL,
  received_ns   INTEGER NOT NULL,    -- the controller's clock
  compression   INTEGER NOT NULL,
  payload_bytes INTEGER NOT NULL,
  payload       BLOB    NOT NULL,
  UNIQUE (node_id, epoch, sequence)
);
CREATE INDEX frames_by_session ON frames (session_id, id) WHERE traces > 0;

-- Apart from the payloads, so that a search reads summaries one behind the other.
CREATE TABLE segment_summaries (
  frame_id INTEGER PRIMARY KEY REFERENCES frames (id) ON DELETE CASCADE,
  terms    BLOB NOT NULL,            -- which values there are: SegmentSummary
  columns  BLOB NOT NULL             -- which trace has which
);

-- What is committed, cumulatively; outlives its frames.
CREATE TABLE epochs (
  node_id  TEXT    NOT NULL,
  epoch    INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  PRIMARY KEY (node_id, epoch)
) WITHOUT ROWID;

CREATE TABLE losses (
  id         INTEGER PRIMARY KEY,
  session_id TEXT    NOT NULL,       -- empty = every session of the node
  node_id    TEXT    NOT NULL,
  stage      TEXT    NOT NULL,
  kind       TEXT    NOT NULL,
  count      INTEGER,                -- NULL = not known: a process was killed
  from_ns    INTEGER NOT NULL,
  to_ns      INTEGER NOT NULL,
  text       TEXT    NOT NULL
);
CREATE INDEX losses_by_session ON losses (session_id, id);

-- A session's numbers on a node, the newest of each of its incarnations.
CREATE TABLE reports (
  session_id     TEXT    NOT NULL,
  node_id        TEXT    NOT NULL,
  epoch          INTEGER NOT NULL,
  state          TEXT    NOT NULL,
  failure_reason TEXT    NOT NULL,
  statistics     TEXT    NOT NULL,
  at_ns          INTEGER NOT NULL,
  PRIMARY KEY (session_id, node_id, epoch)
) WITHOUT ROWID;

-- What retention took away: said wherever the session is shown.
CREATE TABLE removals (
  id         INTEGER PRIMARY KEY,
  session_id TEXT    NOT NULL,
  node_id    TEXT    NOT NULL,
  traces     INTEGER NOT NULL,
  from_ns    INTEGER NOT NULL,
  to_ns      INTEGER NOT NULL,
  at_ns      INTEGER NOT NULL,
  reason     TEXT    NOT NULL
);
CREATE INDEX removals_by_session ON removals (session_id, id);
