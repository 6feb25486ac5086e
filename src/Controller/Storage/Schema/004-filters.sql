-- A search reads a small filter of each segment first: TermFilter. Segments of before have none, and are looked at.
CREATE TABLE segment_filters (
  frame_id INTEGER PRIMARY KEY REFERENCES frames (id) ON DELETE CASCADE,
  bits     BLOB NOT NULL
);
ALTER TABLE segment_summaries DROP COLUMN terms;
