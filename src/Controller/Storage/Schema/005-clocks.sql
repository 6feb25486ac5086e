-- The node's clock minus the controller's when a frame was stored, and how far that may be off; NULL = not known.
ALTER TABLE frames ADD COLUMN clock_offset_ns INTEGER;
ALTER TABLE frames ADD COLUMN clock_bound_ns INTEGER;
