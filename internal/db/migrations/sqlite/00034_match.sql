-- +goose Up
-- The key of a company's page on LinkedIn, like domain_key. A start computes it for the companies of an older version.
ALTER TABLE company ADD COLUMN page_key BIGINT;
CREATE INDEX company_page ON company (page_key) WHERE page_key IS NOT NULL;

-- What matching a list of a caller's gave: companies, in the order of the list, and the caller's keys of each. The rows of the list
-- are not kept.
CREATE TABLE match_result (
    id           TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    companies    BLOB NOT NULL, -- JSON
    expires_at   BIGINT NOT NULL
);
CREATE INDEX match_result_expires ON match_result (expires_at);

-- For source_type match; the match has expired 15 minutes later.
ALTER TABLE quote ADD COLUMN match_id TEXT;
ALTER TABLE export ADD COLUMN match_id TEXT;

-- The caller's keys of the companies, as JSON; NULL unless the companies are those of a match.
ALTER TABLE quote ADD COLUMN match_keys BLOB;
ALTER TABLE export_selection ADD COLUMN match_keys BLOB;
