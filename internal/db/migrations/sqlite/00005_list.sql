-- +goose Up
-- Saved lists of companies.
CREATE TABLE list (
    id           TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    name         TEXT NOT NULL,
    size         BIGINT NOT NULL, -- number of companies
    companies    BLOB NOT NULL, -- a roaring bitmap of company numbers
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL
);
CREATE INDEX list_workspace ON list (workspace_id, id);
