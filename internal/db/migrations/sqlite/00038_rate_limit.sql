-- +goose Up
-- For the same schema on both databases only: a SQLite database has one server, which keeps these buckets in memory.
CREATE TABLE rate_limit (
    bucket  TEXT NOT NULL PRIMARY KEY,
    full_at BIGINT NOT NULL
);
