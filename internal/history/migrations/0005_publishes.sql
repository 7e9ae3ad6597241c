-- Every publish.
CREATE TABLE publish (
	id       INTEGER PRIMARY KEY AUTOINCREMENT,
	job      TEXT NOT NULL,       -- '' for a person
	started  INTEGER NOT NULL,    -- nanoseconds since 1970
	elapsed  INTEGER NOT NULL,    -- nanoseconds
	outcome  TEXT NOT NULL,
	release  TEXT NOT NULL,
	previous TEXT NOT NULL,
	files    INTEGER NOT NULL,
	sent     INTEGER NOT NULL,    -- bytes
	closed   INTEGER,             -- of the window: 1 where it closed; NULL where nobody watched
	lower    INTEGER NOT NULL,    -- nanoseconds, of the window
	upper    INTEGER NOT NULL,    -- nanoseconds, of the window, 0 while it is open
	window   TEXT NOT NULL,       -- JSON, '' where nobody watched
	err      TEXT NOT NULL
) STRICT;
CREATE INDEX publish_started ON publish (started);
