-- +goose Up
CREATE TABLE workspace (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- Members of workspaces. left_at is set when a member leaves; their tokens are refused from then on.
CREATE TABLE member (
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    person       TEXT NOT NULL,
    role         TEXT NOT NULL,
    joined_at    BIGINT NOT NULL,
    left_at      BIGINT,
    PRIMARY KEY (workspace_id, person)
);
