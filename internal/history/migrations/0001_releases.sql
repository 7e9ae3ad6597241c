-- The releases in the order in which they went live. One that goes live again is a new row.
CREATE TABLE release (
	seq       INTEGER PRIMARY KEY AUTOINCREMENT,
	id        TEXT NOT NULL,    -- 64 hexadecimal digits
	published INTEGER NOT NULL  -- nanoseconds since 1970, 0 where nobody knows
) STRICT;

-- What a path held, from the release numbered born up to but not including died. A file that
-- does not change is one row for all releases.
CREATE TABLE file (
	path   TEXT NOT NULL,
	born   INTEGER NOT NULL,
	died   INTEGER,             -- NULL while the newest release has it
	size   INTEGER NOT NULL,
	digest BLOB NOT NULL,       -- SHA-256
	PRIMARY KEY (path, born)
) STRICT, WITHOUT ROWID;
