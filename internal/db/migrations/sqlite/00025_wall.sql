-- +goose Up
-- What the workspace sees of companies that it does not own: names of fields separated by commas, all for every field; empty for
-- what the installation shows.
ALTER TABLE workspace ADD COLUMN visible_fields TEXT NOT NULL DEFAULT '';
