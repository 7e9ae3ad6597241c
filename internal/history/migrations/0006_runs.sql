-- Every run of a job. That a slot has one row is what keeps it from being run twice.
CREATE TABLE run (
	job       TEXT NOT NULL,
	slot      INTEGER NOT NULL,   -- nanoseconds since 1970, as started
	triggered INTEGER NOT NULL,   -- 1 where it is of no slot of the schedule
	started   INTEGER NOT NULL,
	elapsed   INTEGER NOT NULL,   -- nanoseconds, 0 while it runs
	outcome   TEXT NOT NULL,      -- '' while it runs
	err       TEXT NOT NULL,
	log       TEXT NOT NULL,
	PRIMARY KEY (job, triggered, slot)
) STRICT;
CREATE INDEX run_started ON run (started);

-- What was told to whom.
CREATE TABLE sent (
	key   TEXT PRIMARY KEY,
	at    INTEGER NOT NULL,       -- nanoseconds since 1970, the latest attempt
	told  INTEGER NOT NULL,       -- 1 where one succeeded
	tries INTEGER NOT NULL,
	err   TEXT NOT NULL           -- of the latest attempt
) STRICT, WITHOUT ROWID;
