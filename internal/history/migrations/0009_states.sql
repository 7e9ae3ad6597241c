-- What one process leaves to the next: of each recipient which origins flap and which notifications
-- wait, of the daemon which alarms are open.
CREATE TABLE state (
	name TEXT PRIMARY KEY,
	at   INTEGER NOT NULL,        -- nanoseconds since 1970
	text BLOB NOT NULL            -- JSON
) STRICT, WITHOUT ROWID;
