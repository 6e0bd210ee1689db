-- +goose Up
-- Of a company with very many connections, one is found without reading all.
CREATE INDEX connection_source_identity ON connection (source, identity) WHERE source IS NOT NULL;
DROP INDEX connection_source;
