-- +goose Up
-- Destinations: where the files of exports are delivered.
CREATE TABLE destination (
    id           TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    name         TEXT NOT NULL,
    kind         TEXT NOT NULL CHECK (kind IN ('s3', 'sftp')),
    settings     TEXT NOT NULL,  -- JSON, without secrets
    secrets      BLOB NOT NULL,  -- JSON, encrypted
    prefix       TEXT NOT NULL,  -- the folder of the files, with placeholders
    created_at   BIGINT NOT NULL
);
CREATE UNIQUE INDEX destination_name ON destination (workspace_id, name);

-- Deliveries of exports, one for each export that has a destination.
CREATE TABLE export_delivery (
    export_id      TEXT PRIMARY KEY REFERENCES export (id),
    workspace_id   TEXT NOT NULL REFERENCES workspace (id),
    destination_id TEXT NOT NULL, -- which may have been deleted since
    job_id         TEXT,          -- what delivers; NULL until the export is completed
    state          TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
    attempts       BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    attempted_at   BIGINT,        -- the last attempt
    next_at        BIGINT,        -- the next attempt; NULL if it is due or there is none
    delivered_at   BIGINT,
    path           TEXT NOT NULL, -- of the file; empty until it is delivered
    error          TEXT NOT NULL  -- why the last attempt failed; empty if it did not
);
CREATE INDEX export_delivery_workspace ON export_delivery (workspace_id, state, export_id);
CREATE INDEX export_delivery_destination ON export_delivery (destination_id);
