-- +goose Up
CREATE TABLE workspace (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- People who belong to a workspace; left_at is set when one leaves, and their tokens are refused from then on.
CREATE TABLE member (
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    person       TEXT NOT NULL,
    role         TEXT NOT NULL,
    joined_at    BIGINT NOT NULL,
    left_at      BIGINT,
    PRIMARY KEY (workspace_id, person)
);
