-- +goose Up
-- First answers to requests with an Idempotency-Key, each written in the transaction that does the request's work.
CREATE TABLE replay (
    workspace_id   TEXT NOT NULL REFERENCES workspace (id),
    key            TEXT NOT NULL,
    operation      TEXT NOT NULL, -- for operators; request_sha256 covers it
    request_sha256 BYTEA NOT NULL, -- operation, path and body
    status         BIGINT NOT NULL,
    body           BYTEA NOT NULL,
    created_at     BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, key)
);
CREATE INDEX replay_created ON replay (created_at);
