-- +goose Up
-- excluded is 1 for a list whose companies are left out of every search, quote and export of its workspace. version counts the
-- changes of the companies, so that a copy of them in memory can be told to be out of date.
ALTER TABLE list ADD COLUMN excluded SMALLINT NOT NULL DEFAULT 0;
ALTER TABLE list ADD COLUMN version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE list_deleted ADD COLUMN excluded SMALLINT NOT NULL DEFAULT 0;
ALTER TABLE list_deleted ADD COLUMN version BIGINT NOT NULL DEFAULT 0;
CREATE INDEX list_excluded ON list (workspace_id) WHERE excluded = 1;
