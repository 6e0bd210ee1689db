-- +goose Up
-- What matching domains for a list gave, for a week: what matched nothing, and domains of several companies.
CREATE TABLE list_match (
    id           TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    list_id      TEXT NOT NULL,
    result       BLOB NOT NULL, -- a JSON object
    created_at   BIGINT NOT NULL
);
CREATE INDEX list_match_list ON list_match (list_id);
CREATE INDEX list_match_created ON list_match (created_at);
