-- Texts that many rows share: pages, URLs, releases, jobs. One that no check of the days that
-- are kept has used is forgotten.
CREATE TABLE word (
	id   INTEGER PRIMARY KEY,
	text TEXT NOT NULL UNIQUE,
	used INTEGER NOT NULL        -- days since 1970, the latest
) STRICT;

-- Origins by name, and how each was last seen by a check of everything. The one without a
-- name stands for all together.
CREATE TABLE place (
	id    INTEGER PRIMARY KEY,
	name  TEXT NOT NULL UNIQUE,
	at    INTEGER NOT NULL,      -- nanoseconds since 1970, 0 for never
	state INTEGER NOT NULL,      -- 0 agree, 1 drift, 2 unreachable
	whole INTEGER NOT NULL       -- the latest check to which every page was answered, 0 for none
) STRICT;

-- Every check.
CREATE TABLE verdict (
	id      INTEGER PRIMARY KEY AUTOINCREMENT,
	job     INTEGER NOT NULL,    -- word, 0 for a person
	started INTEGER NOT NULL,    -- nanoseconds since 1970
	elapsed INTEGER NOT NULL,    -- nanoseconds
	release INTEGER NOT NULL,    -- word, 0 for none
	pages   INTEGER NOT NULL,
	partial INTEGER NOT NULL,    -- 1 where not everything was looked at or counted
	err     TEXT NOT NULL        -- '' where there is a verdict
) STRICT;
CREATE INDEX verdict_started ON verdict (started);

-- What a check saw of an origin.
CREATE TABLE seen (
	verdict  INTEGER NOT NULL REFERENCES verdict (id) ON DELETE CASCADE,
	place    INTEGER NOT NULL,
	url      INTEGER NOT NULL,   -- word
	state    INTEGER NOT NULL,   -- as of a place
	release  INTEGER NOT NULL,   -- word, 0 for none
	pages    INTEGER NOT NULL,
	matched  INTEGER NOT NULL,
	requests INTEGER NOT NULL,
	bytes    INTEGER NOT NULL,
	elapsed  INTEGER NOT NULL,   -- nanoseconds
	expires  INTEGER NOT NULL,   -- seconds since 1970, 0 for none
	counts   TEXT NOT NULL,      -- JSON object, '' for none
	err      TEXT NOT NULL,
	slowest  BLOB NOT NULL,      -- pairs of varints: word, microseconds
	PRIMARY KEY (verdict, place)
) STRICT, WITHOUT ROWID;

-- The checks of everything, summed up for each day (UTC) and origin.
CREATE TABLE day (
	day         INTEGER NOT NULL, -- days since 1970
	place       INTEGER NOT NULL,
	checks      INTEGER NOT NULL,
	agreed      INTEGER NOT NULL, -- checks
	drifted     INTEGER NOT NULL, -- checks
	unseen      INTEGER NOT NULL, -- checks
	failed      INTEGER NOT NULL, -- checks that came to no verdict, of all together only
	pages       INTEGER NOT NULL, -- over all checks
	matched     INTEGER NOT NULL, -- over all checks
	elapsed     INTEGER NOT NULL, -- nanoseconds, over all checks
	agreed_for  INTEGER NOT NULL, -- nanoseconds
	drifted_for INTEGER NOT NULL, -- nanoseconds
	unseen_for  INTEGER NOT NULL, -- nanoseconds
	PRIMARY KEY (day, place)
) STRICT, WITHOUT ROWID;

-- The slowest pages of a day and origin.
CREATE TABLE slow (
	day   INTEGER NOT NULL,       -- days since 1970
	place INTEGER NOT NULL,
	page  INTEGER NOT NULL,       -- word
	took  INTEGER NOT NULL,       -- microseconds, at most
	at    INTEGER NOT NULL,       -- nanoseconds since 1970, the check that saw that
	times INTEGER NOT NULL,       -- how many checks had it among their slowest, at least
	PRIMARY KEY (day, place, page)
) STRICT, WITHOUT ROWID;

-- Times for which an origin drifted in one way. Of an origin and a kind one lasts at most.
CREATE TABLE episode (
	id        INTEGER PRIMARY KEY AUTOINCREMENT,
	origin    TEXT NOT NULL,
	kind      TEXT NOT NULL,
	last_good INTEGER NOT NULL,   -- nanoseconds since 1970, as the others, 0 for never
	opened    INTEGER NOT NULL,
	last_seen INTEGER NOT NULL,
	closed    INTEGER NOT NULL,   -- 0 while it lasts
	pages     INTEGER NOT NULL,
	most      INTEGER NOT NULL,
	paths     BLOB NOT NULL,      -- the first of them, with a NUL between two
	signature BLOB NOT NULL,      -- SHA-256 over all of them
	release   TEXT NOT NULL,
	detail    TEXT NOT NULL,
	excerpt   TEXT NOT NULL,
	url       TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX episode_lasting ON episode (origin, kind) WHERE closed = 0;
CREATE INDEX episode_closed ON episode (closed);
CREATE INDEX episode_origin ON episode (origin, kind, closed);
