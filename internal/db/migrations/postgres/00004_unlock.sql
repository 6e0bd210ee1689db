-- +goose Up
-- What a workspace has unlocked is the sum of its deltas in the order of seq, which counts from 1 without gaps.
-- Rows are only added.
CREATE TABLE unlock_delta (
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    seq          BIGINT NOT NULL,
    change       BIGINT NOT NULL CHECK (change IN (1, -1)), -- 1 unlocks the companies, -1 takes them back
    export_id    TEXT NOT NULL,
    size         BIGINT NOT NULL CHECK (size > 0), -- number of companies
    companies    BYTEA NOT NULL, -- a roaring bitmap of company numbers
    created_at   BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, seq)
);
CREATE INDEX unlock_delta_export ON unlock_delta (export_id);

-- The sum of the deltas up to seq, so that a cold read does not need all of them. It is derived and may be deleted.
CREATE TABLE unlock_snapshot (
    workspace_id TEXT PRIMARY KEY REFERENCES workspace (id),
    seq          BIGINT NOT NULL,
    size         BIGINT NOT NULL,
    companies    BYTEA NOT NULL,
    created_at   BIGINT NOT NULL
);
