-- +goose Up
-- Quotes: a selection and its price, which do not change until expires_at.
CREATE TABLE quote (
    id              TEXT PRIMARY KEY,
    workspace_id    TEXT NOT NULL REFERENCES workspace (id),
    token_id        TEXT NOT NULL,   -- the token that requested it
    source_type     TEXT NOT NULL,
    list_id         TEXT,            -- as in export, like the next two
    filters         TEXT,
    sort            TEXT NOT NULL,
    terms           TEXT NOT NULL,   -- JSON
    format          TEXT NOT NULL,
    options         TEXT NOT NULL,   -- JSON
    requested_count BIGINT NOT NULL, -- number of matches under the terms; companies may be fewer
    capped          SMALLINT NOT NULL,
    cost            BIGINT NOT NULL CHECK (cost >= 0),
    companies       BYTEA,           -- as in export_selection; NULL some time after the quote has expired
    created_at      BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL
);
CREATE INDEX quote_kept ON quote (expires_at) WHERE companies IS NOT NULL;
CREATE INDEX quote_emptied ON quote (expires_at) WHERE companies IS NULL;

-- An export may skip companies that cannot be paid for, may come from a quote, and may be cancelled.
ALTER TABLE export
    ADD COLUMN quote_id   TEXT, -- the quote that it was bought with, which may have been deleted
    ADD COLUMN terms      TEXT NOT NULL DEFAULT '{}', -- JSON
    ADD COLUMN would_skip BIGINT NOT NULL DEFAULT 0 CHECK (would_skip >= 0), -- new companies that the file leaves out
    DROP CONSTRAINT export_check,
    DROP CONSTRAINT export_status_check,
    ADD CHECK (credits_charged >= 0),
    ADD CHECK (already_unlocked + new_count = requested_count AND credits_charged + would_skip = new_count),
    ADD CONSTRAINT export_status_check CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'cancelled'));
ALTER TABLE export
    ALTER COLUMN terms DROP DEFAULT,
    ALTER COLUMN would_skip DROP DEFAULT;
