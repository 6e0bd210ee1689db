-- +goose Up
-- Column presets: choices of columns and headers of files, under a name.
CREATE TABLE column_preset (
    id           TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    name         TEXT NOT NULL,
    columns      TEXT NOT NULL,     -- names of fields in their order, separated by commas
    labels       SMALLINT NOT NULL, -- whether headers are labels for people
    created_at   BIGINT NOT NULL
);
CREATE UNIQUE INDEX column_preset_name ON column_preset (workspace_id, name);
