-- Streams of events (a session, the nodes): appended, never edited. A snapshot spares reading a stream from its start.
CREATE TABLE journal (
  stream  TEXT    NOT NULL,
  version INTEGER NOT NULL,          -- from 1, without holes
  kind    TEXT    NOT NULL,
  json    TEXT    NOT NULL,
  at_ns   INTEGER NOT NULL,          -- CLOCK_REALTIME of the controller
  PRIMARY KEY (stream, version)
) WITHOUT ROWID;

CREATE TABLE snapshots (
  stream  TEXT    PRIMARY KEY,
  version INTEGER NOT NULL,
  json    TEXT    NOT NULL
) WITHOUT ROWID;
