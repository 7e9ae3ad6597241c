-- What a publish did to each target, and why its origins did not agree at its end.
ALTER TABLE publish ADD COLUMN details TEXT NOT NULL DEFAULT ''; -- JSON, '' where it is not known
