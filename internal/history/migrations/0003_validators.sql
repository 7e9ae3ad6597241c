CREATE TABLE origin (
	id  INTEGER PRIMARY KEY,
	url TEXT NOT NULL UNIQUE
) STRICT;

-- What an origin said of a page whose bytes were then hashed in full.
CREATE TABLE validator (
	origin        INTEGER NOT NULL REFERENCES origin (id) ON DELETE CASCADE,
	path          TEXT NOT NULL,
	digest        BLOB NOT NULL,    -- SHA-256
	etag          TEXT NOT NULL,    -- '' for none
	last_modified TEXT NOT NULL,    -- '' for none
	verified      INTEGER NOT NULL, -- seconds since 1970
	PRIMARY KEY (origin, path)
) STRICT, WITHOUT ROWID;
