-- +goose Up
-- What the console shows of the rows of a match until it expires, as JSON; NULL for a match of the API, which keeps no rows.
ALTER TABLE match_result ADD COLUMN shown BLOB;
