-- When each of an origin's pages was asked for and judged last, in groups of neighbours; empty where
-- only the column "whole" tells.
ALTER TABLE origin ADD COLUMN looks BLOB NOT NULL DEFAULT x'';
