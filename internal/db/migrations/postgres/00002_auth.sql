-- +goose Up
-- A token is stored only as its SHA-256; the prefix lets people distinguish tokens. workspace_id is NULL for a
-- legacy token, which is refused. owner is NULL for a token that belongs to no person.
CREATE TABLE token (
    id           TEXT PRIMARY KEY,
    hash         BYTEA NOT NULL UNIQUE,
    prefix       TEXT NOT NULL,
    workspace_id TEXT REFERENCES workspace (id),
    owner        TEXT,
    name         TEXT NOT NULL,
    scope        TEXT NOT NULL CHECK (scope IN ('read', 'read_write')),
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT,
    revoked_at   BIGINT,
    last_used_at BIGINT
);

CREATE INDEX token_workspace ON token (workspace_id, created_at);
