-- +goose Up
-- The buckets of the rate limits, which all servers share. They are not worth a log: after a crash all of them are full.
CREATE UNLOGGED TABLE rate_limit (
    bucket  TEXT NOT NULL PRIMARY KEY,
    full_at BIGINT NOT NULL
);
