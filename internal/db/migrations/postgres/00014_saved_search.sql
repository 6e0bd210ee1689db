-- +goose Up
-- Saved searches, which run again at each use.
CREATE TABLE saved_search (
    id           TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    name         TEXT NOT NULL,
    filters      TEXT NOT NULL, -- a JSON object
    sort_by      TEXT NOT NULL, -- empty for the default
    sort_order   TEXT NOT NULL,
    created_at   BIGINT NOT NULL
);
CREATE INDEX saved_search_workspace ON saved_search (workspace_id, id);

-- A rotated token: its previous secret works until old_until.
ALTER TABLE token ADD COLUMN old_hash BYTEA;
ALTER TABLE token ADD COLUMN old_until BIGINT;
CREATE UNIQUE INDEX token_old_hash ON token (old_hash) WHERE old_hash IS NOT NULL;
