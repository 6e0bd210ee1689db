-- +goose Up
-- A connection is found by its source; only one with an unknown end is found by its identity.
ALTER TABLE connection DROP CONSTRAINT connection_pkey;
CREATE INDEX connection_open ON connection (identity) WHERE source IS NULL OR target IS NULL;

-- The sources of connections by their targets.
CREATE VIEW connection_by_target AS SELECT target, source FROM connection WHERE source IS NOT NULL AND target IS NOT NULL;
