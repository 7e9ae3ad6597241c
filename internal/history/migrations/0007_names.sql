-- Tables are named for what they hold.
ALTER TABLE origin RENAME TO endpoint;
ALTER TABLE validator RENAME COLUMN origin TO endpoint;

ALTER TABLE word RENAME TO text;
ALTER TABLE place RENAME TO origin;
ALTER TABLE day RENAME COLUMN place TO origin;
ALTER TABLE slow RENAME COLUMN place TO origin;

ALTER TABLE verdict RENAME TO "check";
DROP INDEX verdict_started;
CREATE INDEX check_started ON "check" (started);

ALTER TABLE seen RENAME TO check_origin;
ALTER TABLE check_origin RENAME COLUMN verdict TO "check";
ALTER TABLE check_origin RENAME COLUMN place TO origin;
-- What has no column of its own: the text that is the JSON object of it, 0 for nothing.
ALTER TABLE check_origin ADD COLUMN more INTEGER NOT NULL DEFAULT 0;
