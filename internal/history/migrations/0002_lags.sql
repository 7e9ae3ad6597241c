-- How long an origin took from the start of a commit until all of it was live.
CREATE TABLE lag (
	seq    INTEGER PRIMARY KEY AUTOINCREMENT,
	origin TEXT NOT NULL,
	lag    INTEGER NOT NULL     -- nanoseconds
) STRICT;
CREATE INDEX lag_origin ON lag (origin, seq);
