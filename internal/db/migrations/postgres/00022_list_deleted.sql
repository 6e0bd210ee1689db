-- +goose Up
-- Deleted lists, for a day, so that deleting one can be undone. The columns are those of list.
CREATE TABLE list_deleted (
    id           TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    name         TEXT NOT NULL,
    size         BIGINT NOT NULL,
    companies    BYTEA NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    deleted_at   BIGINT NOT NULL
);
CREATE INDEX list_deleted_deleted ON list_deleted (deleted_at);
