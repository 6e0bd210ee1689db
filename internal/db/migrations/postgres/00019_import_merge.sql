-- +goose Up
-- Rows of an import that became part of a company with another name or place. before is the company's record without the row,
-- written a hash of it with the row, and record that of the row as a company of its own.
CREATE TABLE import_merge (
    import   BIGINT NOT NULL,
    position BIGINT NOT NULL, -- in the import, from 1
    number   BIGINT NOT NULL, -- of the company
    detail   TEXT NOT NULL,   -- a JSON object: file, line, names and places
    written  BIGINT NOT NULL,
    before   BYTEA NOT NULL,
    record   BYTEA NOT NULL,
    split_at BIGINT,          -- when the row became a company of its own
    PRIMARY KEY (import, position)
);

-- How the names in company.name_key are compared. A start with a newer version computes the keys again.
ALTER TABLE catalog_state ADD COLUMN match_version SMALLINT NOT NULL DEFAULT 0;
